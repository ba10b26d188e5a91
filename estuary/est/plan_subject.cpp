#include <algorithm>

#include <fmt/format.h>

#include "estuary/base/text.h"
#include "estuary/est/plan_parts.h"

namespace estuary::est {
namespace {

using NameAttribute = RequestInfoTemplate::NameAttribute;
using Rdn = std::vector<NameAttribute>;

std::vector<Rdn> rdns_of(const x509::Name& name) {
    std::vector<Rdn> out;
    for (const auto& rdn : name.rdns()) {
        auto& attributes = out.emplace_back();
        for (const auto& attribute : rdn)
            attributes.push_back({attribute.type, std::pair{attribute.tag, estuary::to_string(attribute.value)}});
    }
    return out;
}

/// As DER, and read back: a server's value may be one that no name may hold.
Result<x509::Name> build(const std::vector<Rdn>& rdns) {
    der::Writer writer;
    writer.sequence([&] {
        for (const auto& rdn : rdns) {
            std::vector<ByteVec> elements;
            for (const auto& attribute : rdn) {
                der::Writer element;
                element.sequence([&] {
                    element.oid(attribute.type).primitive(attribute.value->first, as_bytes(attribute.value->second));
                });
                elements.push_back(std::move(element).take());
            }
            std::ranges::sort(elements);
            writer.constructed(der::Tag::set, [&] {
                for (const auto& element : elements) writer.raw(element);
            });
        }
    });
    return x509::Name::parse(writer.bytes());
}

std::string shown(const NameAttribute& attribute) {
    return name_of(attribute.type) + "=" + text::printable(attribute.value->second);
}

class Subject {
public:
    Subject(const Wishes& wishes, Notes& notes) : wishes_{wishes}, notes_{notes}, rdns_{rdns_of(wishes.subject)} {}

    void add(const std::vector<Rdn>& wanted) {
        for (const auto& rdn : wanted)
            for (const auto& attribute : rdn)
                attribute.value ? take_over(wanted, attribute) : provide(attribute.type);
    }

    /// An attribute that the server leaves to the client.
    void provide(const der::Oid& type) {
        if (has(type)) return;
        if (type == x509::oid::common_name)
            if (const auto host = first_host()) {
                rdns_.push_back({{type, std::pair{der::Tag::utf8_string, *host}}});
                notes_.push_back("the server asks for a common name: CN=" + text::printable(*host) + " was put in");
                return;
            }
        notes_.push_back("the server asks for " + name_of(type) + " in the subject, and none was given");
    }

    Result<x509::Name> finish() && { return build(rdns_); }

private:
    bool has(const der::Oid& type) const {
        return std::ranges::any_of(rdns_, [&](const Rdn& rdn) { return std::ranges::count(rdn, type, &NameAttribute::type) != 0; });
    }

    std::optional<std::string> first_host() const {
        for (const auto& name : wishes_.subject_alt_names)
            if (name.kind == x509::GeneralName::Kind::dns) return std::string{as_text(name.value)};
        return std::nullopt;
    }

    /// RFC 9908 3.4: the client is expected to use a value that the server gives.
    void take_over(const std::vector<Rdn>& wanted, const NameAttribute& attribute) {
        const auto is_wanted = [&](const NameAttribute& own) {
            return std::ranges::any_of(wanted, [&](const Rdn& rdn) {
                return std::ranges::any_of(rdn, [&](const NameAttribute& other) {
                    return other.type == own.type && other.value && other.value->second == own.value->second;
                });
            });
        };
        NameAttribute* replaced = nullptr;
        for (auto& rdn : rdns_)
            for (auto& own : rdn) {
                if (own.type != attribute.type) continue;
                if (own.value->second == attribute.value->second) return;
                if (replaced == nullptr && !is_wanted(own)) replaced = &own;
            }
        if (replaced == nullptr) {
            notes_.push_back("the server wants " + shown(attribute) + " in the subject: put in");
            rdns_.push_back({attribute});
        } else {
            notes_.push_back("the server wants " + shown(attribute) + " in place of " + shown(*replaced));
            replaced->value = attribute.value;
        }
    }

    const Wishes& wishes_;
    Notes& notes_;
    std::vector<Rdn> rdns_;
};

/// Attribute types of names are below 2.5.4 (X.520) and in the pilot schema (RFC 4519).
bool is_name_attribute(const der::Oid& oid) {
    const auto dotted = oid.dotted();
    return dotted.starts_with("2.5.4.") || oid == x509::oid::user_id || oid == x509::oid::domain_component ||
           oid == x509::oid::email_address;
}

}  // namespace

Result<x509::Name> plan_subject(const Wishes& wishes, const CsrAttrs& attributes, Notes& notes) {
    Subject subject{wishes, notes};
    if (attributes.request_template) {
        if (attributes.request_template->subject) subject.add(*attributes.request_template->subject);
    } else {
        for (const auto& item : attributes.items)
            if (!item.values && is_name_attribute(item.oid)) subject.provide(item.oid);
    }
    auto built = std::move(subject).finish();
    if (!built) return fail(in_context("the subject that the server asks for", std::move(built).error()));
    return built;
}

}  // namespace estuary::est
