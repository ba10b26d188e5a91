#include <algorithm>

#include <fmt/format.h>

#include "estuary/est/plan_parts.h"

namespace estuary::est {
namespace {

using Kind = x509::GeneralName::Kind;
using Names = std::vector<x509::GeneralName>;

/// One GeneralName as the server gave it, perhaps only begun.
struct BegunName {
    unsigned tag_number = 0;
    ByteVec content;
    bool unfinished() const {
        const bool empty_directory = tag_number == 4 && content.size() == 2;
        return content.empty() || empty_directory;
    }
};

Result<std::vector<BegunName>> read_begun(Bytes value) {
    ESTUARY_TRY(auto reader, der::enter_only(value, der::Tag::sequence, "subjectAltName"));
    std::vector<BegunName> out;
    while (!reader.empty()) {
        if (out.size() == 256) return fail(Code::too_large, "subjectAltName: too many names");
        ESTUARY_TRY(const auto element, reader.any());
        const auto identifier = static_cast<unsigned>(element.tag);
        if ((identifier & 0xC0) != 0x80 || (identifier & 0x1F) > 8)
            return fail(Code::malformed, "subjectAltName: this is no GeneralName");
        out.push_back({identifier & 0x1F, to_vec(element.content)});
    }
    return out;
}

void add_once(Names& names, const x509::GeneralName& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
}

class Planner {
public:
    Planner(const Wishes& wishes, const x509::Name& subject, Notes& notes)
        : subject_{subject}, notes_{notes}, names_{wishes.subject_alt_names} {}

    void add(const ExtensionTemplate& wanted) {
        if (wanted.id == x509::oid::subject_alt_name) {
            critical_names_ = wanted.critical;
            wanted.value ? complete_names(*wanted.value) : provide_names();
        } else if (wanted.value) {
            extensions_.push_back({wanted.id, wanted.critical, *wanted.value});
        } else {
            provide(wanted);
        }
    }

    /// subjectAltName without a value: the client knows its names.
    void provide_names() {
        if (!names_.empty()) return;
        for (const auto& common_name : subject_.values(x509::oid::common_name)) {
            const auto host = x509::GeneralName::from_text("dns:" + common_name);
            if (!host || common_name.find('.') == std::string::npos) continue;
            names_.push_back(*host);
            notes_.push_back("the server asks for a subject alternative name: " + host->to_text() + " was put in");
            return;
        }
        notes_.push_back("the server asks for a subject alternative name, and none was given");
    }

    std::vector<x509::Extension> finish() && {
        // RFC 5280 4.2.1.6: critical where there is no subject.
        if (!names_.empty())
            extensions_.insert(extensions_.begin(), x509::make_subject_alt_name(names_, critical_names_ || subject_.empty()));
        return std::move(extensions_);
    }

private:
    /// The server's own names, and those that it only began (RFC 9908 3.4).
    void complete_names(Bytes value) {
        const auto begun = read_begun(value);
        if (!begun) {
            notes_.push_back("the server asks for a subject alternative name that cannot be read: " + begun.error().detail);
            return;
        }
        for (const auto& name : *begun) {
            if (!name.unfinished()) {
                add_once(names_, {static_cast<Kind>(name.tag_number), name.content});
            } else if (static_cast<Kind>(name.tag_number) == Kind::directory && !subject_.empty()) {
                add_once(names_, {Kind::directory, to_vec(subject_.der())});
            } else if (!has(static_cast<Kind>(name.tag_number))) {
                notes_.push_back(fmt::format("the server asks for a subject alternative name of kind [{}], and none was given",
                                             name.tag_number));
            }
        }
    }

    bool has(Kind kind) const { return std::ranges::count(names_, kind, &x509::GeneralName::kind) != 0; }

    /// A value for an extension that the server left open.
    void provide(const ExtensionTemplate& wanted) {
        if (wanted.id == x509::oid::key_usage) {
            auto extension = x509::make_key_usage(x509::digital_signature);
            extension.critical = wanted.critical;
            extensions_.push_back(std::move(extension));
        } else if (wanted.id == x509::oid::ext_key_usage) {
            extensions_.push_back(x509::make_ext_key_usage({x509::oid::kp_client_auth}, wanted.critical));
        } else {
            notes_.push_back("the server asks for " + name_of(wanted.id) + ", and no value for it is known here");
        }
    }

    const x509::Name& subject_;
    Notes& notes_;
    Names names_;
    bool critical_names_ = false;
    std::vector<x509::Extension> extensions_;
};

/// extensionRequest of the list: Extensions, or what RFC 7030's own example has there.
void add_listed(Planner& planner, const AttrOrOid& item, Notes& notes) {
    for (const auto& value : *item.values) {
        const auto extensions = x509::parse_extensions(value);
        if (!extensions) {
            notes.push_back("the server asks for extensions in a form that cannot be read; ignored");
            continue;
        }
        for (const auto& extension : *extensions) planner.add({extension.id, extension.critical, extension.value});
    }
}

}  // namespace

Result<std::vector<x509::Extension>> plan_extensions(const Wishes& wishes, const x509::Name& subject,
                                                     const CsrAttrs& attributes, Notes& notes) {
    Planner planner{wishes, subject, notes};
    if (attributes.request_template) {
        for (const auto& wanted : attributes.request_template->extensions) planner.add(wanted);
    } else {
        bool listed = false;
        for (const auto& item : attributes.items) {
            if (!item.values && item.oid == x509::oid::subject_alt_name) planner.provide_names();
            if (!item.values || item.oid != x509::oid::extension_request || std::exchange(listed, true)) continue;
            add_listed(planner, item, notes);
        }
    }
    return std::move(planner).finish();
}

}  // namespace estuary::est
