// The path-validation cases of C2SP/x509-limbo (tests/data/x509-limbo), made by somebody else.
#include <map>

#include <boost/json.hpp>

#include "estuary/x509/path.h"
#include "support.h"

namespace estuary::x509 {
namespace {

namespace json = boost::json;

/// Cases without a time of their own are meant for "now"; their certificates live for centuries around this moment.
constexpr Time usual_moment{std::chrono::sys_days{std::chrono::year{2025} / 6 / 1}};

// Where our answer differs from the expected one, and why that is so.
const std::string no_crls = "validate_path() reads no CRLs; whoever asks knows the status from elsewhere";
const std::string issuers_rule = "a rule for who issues; a verifier processes the extension all the same";
const std::string one_path = "OpenSSL follows the first issuer that fits and does not go back for another";
const std::string linted = "wrong, but harmless to a verifier; the lint keeps us from issuing it";
const std::map<std::string, std::string> exceptions{
    {"crl::revoked-certificate-with-crl", no_crls},
    {"crl::crlnumber-missing", no_crls},
    {"crl::crlnumber-critical", no_crls},
    {"crl::issuer-missing-crlsign", no_crls},
    {"crl::issuer-no-keyusage-extension", "stricter: RFC 5280 4.2.1.3 wants keyUsage in every CA certificate"},
    {"pathlen::max-chain-depth-1-self-issued", "stricter: the limit on depth counts every certificate"},
    {"rfc5280::aki::cross-signed-root-missing-aki", "pedantic: an anchor is trusted by itself, however it is signed"},
    {"rfc5280::nc::permitted-dns-match-noncritical", issuers_rule},
    {"rfc5280::nc::not-allowed-in-ee-noncritical", issuers_rule},
    {"rfc5280::nc::not-allowed-in-ee-critical", issuers_rule},
    {"rfc5280::pc::ica-noncritical-pc", issuers_rule},
    {"rfc5280::nc::invalid-dnsname-leading-period", "many CAs write it, meaning the hosts below; read so by all libraries"},
    {"rfc5280::nc::nc-forbids-alternate-chain-ica", one_path},
    {"rfc5280::nc::nc-forbids-same-chain-ica", one_path},
    {"rfc5280::san::underscore-dns", linted + " ('_' is tolerated, as devices have such names)"},
    {"rfc5280::san::ip-in-dns", linted},
    {"rfc5280::serial::zero", linted},
    {"rfc5280::serial::negative", linted},
    {"rfc5280::ca-as-leaf-wrong-san", "validate_path() compares no host names; that is the TLS client's part"},
};

Result<std::vector<Certificate>> certificates(const json::value& pems) {
    std::vector<Certificate> all;
    for (const auto& pem : pems.as_array()) {
        const std::string text{pem.as_string()};
        ESTUARY_TRY(all.emplace_back(), Certificate::from_bytes(as_bytes(text)));
    }
    return all;
}

/// Times such as "2024-03-01T00:00:00.999+00:00": fractions are dropped, as X.509 has none.
Time moment(const json::value& text) {
    if (text.is_null()) return usual_moment;
    return parse_iso8601(std::string{text.as_string()}.substr(0, 19) + "Z").value();
}

Result<void> judge(const json::object& test) {
    PathOptions options;
    options.at = moment(test.at("validation_time"));
    if (const auto& depth = test.at("max_chain_depth"); !depth.is_null()) options.depth_max = depth.to_number<unsigned>();
    for (const auto& purpose : test.at("extended_key_usage").as_array()) {
        ESTUARY_TRY(options.required_ext_key_usage.emplace_back(), ext_key_usage_from_name(std::string{purpose.as_string()}));
    }
    const std::string peer{test.at("peer_certificate").as_string()};
    ESTUARY_TRY(const auto end_entity, Certificate::from_bytes(as_bytes(peer)));
    ESTUARY_TRY(const auto intermediates, certificates(test.at("untrusted_intermediates")));
    ESTUARY_TRY(const auto anchors, certificates(test.at("trusted_certs")));
    ESTUARY_TRY(const auto trust, TrustAnchors::create(anchors));
    const auto first = validate_path(end_entity, intermediates, trust, options);
    // What was accepted once may be judged without OpenSSL from then on, with the same result.
    const auto second = validate_path(end_entity, intermediates, trust, options);
    EXPECT_TRUE(first.has_value() == second.has_value() && (!first || *first == *second)) << test::failure(second);
    ESTUARY_CHECK(first);
    return {};
}

json::value read_cases() { return json::parse(as_text(test::data_file("x509-limbo/limbo-rfc5280-subset.json"))); }

TEST(Limbo, EveryCase) {
    const auto root = read_cases();
    const auto& cases = root.at("testcases").as_array();
    EXPECT_EQ(cases.size(), 127u);
    std::size_t excepted = 0;
    for (const auto& value : cases) {
        const auto& test = value.as_object();
        const std::string id{test.at("id").as_string()};
        SCOPED_TRACE(id);
        const bool expected = test.at("expected_result").as_string() == "SUCCESS";
        const auto result = judge(test);
        const bool as_expected = result.has_value() == expected;
        if (const auto exception = exceptions.find(id); exception != exceptions.end()) {
            ++excepted;
            EXPECT_FALSE(as_expected) << "no longer an exception (" << exception->second << ")";
        } else {
            EXPECT_TRUE(as_expected) << test::failure(result) << "\n" << std::string{test.at("description").as_string()};
        }
    }
    EXPECT_EQ(excepted, exceptions.size()) << "an exception names a case that is not there";
}

}  // namespace
}  // namespace estuary::x509
