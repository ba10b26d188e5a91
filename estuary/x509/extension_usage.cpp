// keyUsage and extKeyUsage: what a key may be used for.
#include <array>

#include "estuary/base/text.h"
#include "estuary/x509/extension.h"

namespace estuary::x509 {
namespace {

using der::Tag;

constexpr std::size_t purposes_max = 64;

constexpr std::array<std::string_view, 9> usage_names{"digitalSignature", "nonRepudiation", "keyEncipherment",
                                                      "dataEncipherment", "keyAgreement",   "keyCertSign",
                                                      "cRLSign",          "encipherOnly",   "decipherOnly"};

struct Purpose {
    std::string_view name;
    der::Oid id;
};
constexpr std::array purposes{
    Purpose{"serverAuth", oid::kp_server_auth},
    Purpose{"clientAuth", oid::kp_client_auth},
    Purpose{"codeSigning", oid::kp_code_signing},
    Purpose{"emailProtection", oid::kp_email_protection},
    Purpose{"timeStamping", oid::kp_time_stamping},
    Purpose{"OCSPSigning", oid::kp_ocsp_signing},
    Purpose{"cmcCA", oid::kp_cmc_ca},
    Purpose{"cmcRA", oid::kp_cmc_ra},
    Purpose{"anyExtendedKeyUsage", oid::any_extended_key_usage},
};

std::string known_names() {
    std::string out;
    for (const auto& purpose : purposes) out.append(out.empty() ? "" : ", ").append(purpose.name);
    return out;
}

}  // namespace

Result<std::uint32_t> parse_key_usage(Bytes value) {
    der::Reader reader{value};
    ESTUARY_TRY(const auto bits, reader.named_bits());
    ESTUARY_CHECK(reader.finish("keyUsage"));
    //= https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.3
    // # When the keyUsage extension appears in a certificate, at least one of the bits MUST be set to 1.
    if (bits == 0) return fail(Code::malformed, "keyUsage has no bit set");
    return bits;
}

Extension make_key_usage(std::uint32_t bits) {
    der::Writer writer;
    writer.named_bits(bits);
    return {oid::key_usage, true, std::move(writer).take()};
}

Result<std::uint32_t> key_usage_from_name(std::string_view name) {
    for (std::size_t bit = 0; bit < usage_names.size(); ++bit)
        if (text::equal_ignoring_case(name, usage_names[bit])) return 1u << bit;
    if (text::equal_ignoring_case(name, "contentCommitment")) return non_repudiation;  // its newer name in X.509
    return fail(Code::unsupported, "key usage '" + text::printable(name) + "' is none of RFC 5280 4.2.1.3");
}

std::vector<std::string> key_usage_names(std::uint32_t bits) {
    std::vector<std::string> names;
    for (std::size_t bit = 0; bit < usage_names.size(); ++bit)
        if ((bits >> bit & 1) != 0) names.emplace_back(usage_names[bit]);
    return names;
}

// ExtKeyUsageSyntax ::= SEQUENCE SIZE (1..MAX) OF KeyPurposeId
Result<std::vector<der::Oid>> parse_ext_key_usage(Bytes value) {
    ESTUARY_TRY(auto reader, der::enter_only(value, Tag::sequence, "extKeyUsage"));
    std::vector<der::Oid> out;
    while (!reader.empty()) {
        if (out.size() == purposes_max) return fail(Code::too_large, "more than 64 extended key usages");
        ESTUARY_TRY(out.emplace_back(), reader.oid());
    }
    if (out.empty()) return fail(Code::malformed, "extKeyUsage is empty");
    return out;
}

Extension make_ext_key_usage(const std::vector<der::Oid>& wanted, bool critical) {
    der::Writer writer;
    writer.sequence([&] {
        for (const auto& purpose : wanted) writer.oid(purpose);
    });
    return {oid::ext_key_usage, critical, std::move(writer).take()};
}

Result<der::Oid> ext_key_usage_from_name(std::string_view name) {
    for (const auto& purpose : purposes)
        if (text::equal_ignoring_case(name, purpose.name)) return purpose.id;
    if (auto dotted = der::Oid::parse(name)) return dotted;
    return fail(Code::unsupported,
                "extended key usage '" + text::printable(name) + "' is neither an OID nor one of " + known_names());
}

std::string ext_key_usage_name(const der::Oid& id) {
    const auto found = std::ranges::find(purposes, id, &Purpose::id);
    return found == purposes.end() ? id.dotted() : std::string{found->name};
}

}  // namespace estuary::x509
