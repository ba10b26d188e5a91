#include "estuary/authority/profile.h"

#include "estuary/crypto/digest.h"

namespace estuary::authority {
namespace {

using Kind = x509::GeneralName::Kind;

/// Writes every field in a form that only equal profiles share: DER, each list in a SEQUENCE of its own.
class Digest {
public:
    Digest& text(std::string_view value) { return octets(as_bytes(value)); }
    Digest& octets(Bytes value) {
        writer_.octet_string(value);
        return *this;
    }
    template <class Number>
    Digest& number(Number value) {
        writer_.integer(static_cast<std::int64_t>(value));
        return *this;
    }
    Digest& time(Seconds value) { return number(value.count()); }
    Digest& flag(bool value) {
        writer_.boolean(value);
        return *this;
    }
    template <class List, class Put>
    Digest& list(const List& values, Put put) {
        writer_.sequence([&] {
            for (const auto& value : values) put(value);
        });
        return *this;
    }
    Digest& texts(const std::vector<std::string>& values) {
        return list(values, [this](const auto& value) { text(value); });
    }
    Digest& oids(const std::vector<der::Oid>& values) {
        return list(values, [this](const auto& value) { writer_.oid(value); });
    }
    crypto::Sha256 finish() const { return crypto::sha256(writer_.bytes()); }

private:
    der::Writer writer_;
};

std::vector<der::Oid> usual_attributes() {
    using namespace x509::oid;
    return {common_name,  serial_number,          organization_name, organizational_unit_name,
            country_name, state_or_province_name, locality_name,     domain_component,
            user_id};
}

}  // namespace

std::array<std::uint8_t, 32> Profile::digest() const {
    Digest digest;
    digest.text(name).text(ca).time(validity).time(backdate).texts(key_types).texts(generated_key_types).flag(archive_keys);
    digest.oids(subject.allowed).oids(subject.required).texts(subject.patterns).octets(subject.fixed.der());
    digest.number(subject.unwanted).flag(subject.may_be_empty);
    digest.list(san.allowed, [&](auto kind) { digest.number(kind); });
    digest.texts(san.patterns).flag(san.required).number(san.count_max).number(san.unwanted);
    digest.number(key_usage).oids(ext_key_usage).oids(policies).text(cps_uri);
    digest.texts(crl_uris).texts(ocsp_uris).texts(ca_issuer_uris).flag(ocsp_no_check);
    digest.oids(pass_extensions).number(other_extensions).flag(manual_approval).time(approval_expires).time(poll_interval);
    digest.flag(may_change_names).time(renew_after_expiry).time(renew_before_expiry.value_or(Seconds{-1}));
    digest.flag(ca_certificate.has_value());
    if (ca_certificate) {
        const auto constraints = ca_certificate->name_constraints;
        digest.number(ca_certificate->path_length).octets(constraints ? x509::make_name_constraints(*constraints).value : ByteVec{});
    }
    digest.flag(ask_for_key_type).flag(ask_for_san).flag(ask_for_linking).flag(csrattrs_template);
    return digest.finish();
}

Profile default_device_profile(std::string ca) {
    Profile profile;
    profile.name = "device";
    profile.ca = std::move(ca);
    profile.key_types = {"p256", "p384", "p521", "ed25519", "rsa2048"};
    profile.subject.allowed = usual_attributes();
    profile.san.allowed = {Kind::dns, Kind::ip, Kind::email, Kind::uri};
    profile.key_usage = x509::digital_signature;
    profile.ext_key_usage = {x509::oid::kp_client_auth};
    return profile;
}

Profile tls_server_profile(std::string ca) {
    Profile profile;
    profile.name = "server";
    profile.ca = std::move(ca);
    profile.key_types = {"p256", "p384", "p521", "ed25519", "rsa2048"};
    profile.subject.allowed = usual_attributes();
    profile.subject.may_be_empty = true;
    profile.san.allowed = {Kind::dns, Kind::ip};
    profile.san.required = true;
    profile.key_usage = x509::digital_signature | x509::key_encipherment;
    //= https://www.rfc-editor.org/rfc/rfc7030#section-3.6.1
    //# the EST server certificate MUST contain the id-kp-cmcRA [RFC6402] extended key usage extension.
    profile.ext_key_usage = {x509::oid::kp_server_auth, x509::oid::kp_cmc_ra};
    return profile;
}

}  // namespace estuary::authority
