// The example of RFC 9919 appendix B: a CA, a certificate, a responder, what is asked and what is answered.
#include "estuary/base/encoding.h"
#include "world.h"

namespace estuary::ocsp {
namespace {

using test::failure;

constexpr std::string_view issuer_base64 =
    "MIICKDCCAYqgAwIBAgIBATAKBggqhkjOPQQDBDA4MQswCQYDVQQGEwJYWDEUMBIGA1UECgwLQ2VydHMgJ3IgVXMxEzARBgNVBAMMCklzc3VpbmcgQ0Ew"
    "HhcNMjQwNDAyMTIzNzQ3WhcNMjUwNDAyMTIzNzQ3WjA4MQswCQYDVQQGEwJYWDEUMBIGA1UECgwLQ2VydHMgJ3IgVXMxEzARBgNVBAMMCklzc3Vpbmcg"
    "Q0EwgZswEAYHKoZIzj0CAQYFK4EEACMDgYYABAHQ/XJXqEx0f1YldcBzhdvr8vUr6lgIPbgv3RUx2KrjzIdf8C/3+i2iYNjrYtbS9dZJJ44yFzagYoy7"
    "swMItuYY2wD2KtIExkYDWbyBiriWG/Dw/A7FquikKBc85W8A3psVfB5cgsZPVi/K3vxKTCj200LPPvYW/ILTO3KFySHyvzb92KNCMEAwHQYDVR0OBBYE"
    "FI7CFAlgduqQOOk5rhttUsQXfZ++MA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgIEMAoGCCqGSM49BAMEA4GLADCBhwJBbr/1SJiHCgXGEJ7R"
    "+3er1LdWqrdZHgtCwyT7+wFBIJmVswEiom2LGh/oMuu5mD+u/+o1m07vmmZj/+ipGp8TIwkCQgCoZ4bHte6XkFm7hUXascLN7vkv7qKwXyTsCvIDpEDT"
    "RCX8dUFe73jGebitkumRHjVhlBJLo7n3FMJrFHNoeblMbw==";
constexpr std::string_view device_base64 =
    "MIIB2zCCATygAwIBAgIEAarwDTAKBggqhkjOPQQDBDA4MQswCQYDVQQGEwJYWDEUMBIGA1UECgwLQ2VydHMgJ3IgVXMxEzARBgNVBAMMCklzc3Vpbmcg"
    "Q0EwHhcNMjQwNDAyMTIzNzQ3WhcNMjUwNDAyMTIzNzQ3WjAcMRowGAYDVQQDDBF4bi0tMThqNGQuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqGSM49AwEH"
    "A0IABEIlSPiPt4L/teyjdERSxyoeVY+9b3O+XkjpMjLMRcWxbEzRDEy41bihcTnpSILImSVymTQl9BQZq36QpCpJQnKjUDBOMB0GA1UdDgQWBBRbcKeY"
    "F/ef9jfS9+PcRGwhCde71DAfBgNVHSMEGDAWgBSOwhQJYHbqkDjpOa4bbVLEF32fvjAMBgNVHRMBAf8EAjAAMAoGCCqGSM49BAMEA4GMADCBiAJCAIot"
    "8SYNFkScrcsY5T81HSmNzhP/0GC87N3WI849CN0qmNa0nMXW8HnDKGR5nv/D9x+T8uLMBlpFUWmHQmXAJPN8AkIBW8A0XsiyPJyZfaZieODmtnoIobZP"
    "+eTLNWkGUFL6uCtLtQmYtrXpLAJfvkE6WYVqCUl495Kx9l6M9TBLK5X6V3w=";
constexpr std::string_view responder_base64 =
    "MIICSzCCAa6gAwIBAgIBATAKBggqhkjOPQQDBDA4MQswCQYDVQQGEwJYWDEUMBIGA1UECgwLQ2VydHMgJ3IgVXMxEzARBgNVBAMMCklzc3VpbmcgQ0Ew"
    "HhcNMjQwNDAyMTIzNzQ3WhcNMjUwNDAyMTIzNzQ3WjA8MQswCQYDVQQGEwJYWDEUMBIGA1UECgwLQ2VydHMgJ3IgVXMxFzAVBgNVBAMMDk9DU1AgUmVz"
    "cG9uZGVyMHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEWwkBuIUjKW65GdUP+hqcs3S8TUCVhigr/soRsdla27VHNK9XC/grcijPImvPTCXdvP47GjrTlDDv"
    "92Ph1o0uFR2Rcgt3lbWNprNGOWE6j7m1qNpIxnRxF/mRnoQk837Io4GHMIGEMB0GA1UdDgQWBBQK46D+ndQldpi163Lrygznvz318TAfBgNVHSMEGDAW"
    "gBSOwhQJYHbqkDjpOa4bbVLEF32fvjAMBgNVHRMBAf8EAjAAMA4GA1UdDwEB/wQEAwIHgDATBgNVHSUEDDAKBggrBgEFBQcDCTAPBgkrBgEFBQcwAQUE"
    "AgUAMAoGCCqGSM49BAMEA4GKADCBhgJBFCqM1gpsZcd0Zd8RW8H/+L4OIbTaGtpT2QY0pd6JBw91lFqNCxj+F1k9XJrKSQAVVAa/b3JaZOsRrH6vihlO"
    "3MYCQUkLC0mmLubTRDH2v+6A1aycIVKIpR3G6+PuaD2Um3PSF7FElkoU4NYkbl1SH/8FzbDy/LCBhih25e7hAtyg/XsI";
constexpr std::string_view request_base64 =
    "MGEwXzBdMFswWTANBglghkgBZQMEAgEFAAQgOplGd1aAc6cHv95QGGNF5M1hNNsIXrqh0QQl8DtvCOoEIEdKbKMB8j3J9/cHhwThx/X8lucWdfbtiC56"
    "tlw/WEVDAgQBqvAN";
constexpr std::string_view response_base64 =
    "MIIDnwoBAKCCA5gwggOUBgkrBgEFBQcwAQEEggOFMIIDgTCBsKIWBBQK46D+ndQldpi163Lrygznvz318RgPMjAyNDA0MDIxMjM3NDdaMIGEMIGBMFkw"
    "DQYJYIZIAWUDBAIBBQAEIDqZRndWgHOnB7/eUBhjReTNYTTbCF66odEEJfA7bwjqBCBHSmyjAfI9yff3B4cE4cf1/JbnFnX27YguerZcP1hFQwIEAarw"
    "DYAAGA8yMDI0MDQwMzEyMzc0N1qgERgPMjAyNDA0MTAxMjM3NDdaMAoGCCqGSM49BAMDA2kAMGYCMQDRmVmiIb4Dm9yEXiv2XtoeQi6ftpjLmlBqqRIi"
    "+3htfF/OyjdHnFuh38cQKYqqrWYCMQDKiPctVu7SQs587d2ZBEHQH20j5AFiGGsbI1b3+C9ZK6NIzgD6DnWlDwpSfilEarOgggJTMIICTzCCAkswggGu"
    "oAMCAQICAQEwCgYIKoZIzj0EAwQwODELMAkGA1UEBhMCWFgxFDASBgNVBAoMC0NlcnRzICdyIFVzMRMwEQYDVQQDDApJc3N1aW5nIENBMB4XDTI0MDQw"
    "MjEyMzc0N1oXDTI1MDQwMjEyMzc0N1owPDELMAkGA1UEBhMCWFgxFDASBgNVBAoMC0NlcnRzICdyIFVzMRcwFQYDVQQDDA5PQ1NQIFJlc3BvbmRlcjB2"
    "MBAGByqGSM49AgEGBSuBBAAiA2IABFsJAbiFIyluuRnVD/oanLN0vE1AlYYoK/7KEbHZWtu1RzSvVwv4K3IozyJrz0wl3bz+Oxo605Qw7/dj4daNLhUd"
    "kXILd5W1jaazRjlhOo+5tajaSMZ0cRf5kZ6EJPN+yKOBhzCBhDAdBgNVHQ4EFgQUCuOg/p3UJXaYtety68oM57899fEwHwYDVR0jBBgwFoAUjsIUCWB2"
    "6pA46TmuG21SxBd9n74wDAYDVR0TAQH/BAIwADAOBgNVHQ8BAf8EBAMCB4AwEwYDVR0lBAwwCgYIKwYBBQUHAwkwDwYJKwYBBQUHMAEFBAIFADAKBggq"
    "hkjOPQQDBAOBigAwgYYCQRQqjNYKbGXHdGXfEVvB//i+DiG02hraU9kGNKXeiQcPdZRajQsY/hdZPVyaykkAFVQGv29yWmTrEax+r4oZTtzGAkFJCwtJ"
    "pi7m00Qx9r/ugNWsnCFSiKUdxuvj7mg9lJtz0hexRJZKFODWJG5dUh//Bc2w8vywgYYoduXu4QLcoP17CA==";

x509::Certificate certificate(std::string_view base64) { return x509::Certificate::parse(from_base64(base64).value()).value(); }

TEST(OcspExampleOfRfc9919, RequestIsReadAndWritten) {
    const auto der = from_base64(request_base64).value();
    const auto request = Request::parse(der);
    ASSERT_TRUE(request) << failure(request);
    ASSERT_EQ(request->certificates.size(), 1u);
    const auto issuer = certificate(issuer_base64);
    const auto hashes = issuer_hashes(issuer.subject(), issuer.spki(), Hash::sha256).value();
    EXPECT_EQ(request->certificates[0].hash(), Hash::sha256);
    EXPECT_EQ(to_hex(request->certificates[0].issuer_name_hash()), to_hex(hashes.name));
    EXPECT_EQ(to_hex(request->certificates[0].issuer_key_hash()), to_hex(hashes.key));
    EXPECT_EQ(to_hex(request->certificates[0].serial_number()), to_hex(certificate(device_base64).serial_number()));
    EXPECT_EQ(encode_request(*request), der);
}

TEST(OcspExampleOfRfc9919, AnswerIsBelievedWhileItIsFresh) {
    const auto issuer = certificate(issuer_base64), device = certificate(device_base64), responder = certificate(responder_base64);
    const auto der = from_base64(response_base64).value();
    const auto at = [&](std::string_view time) { return verify(device, issuer, der, std::nullopt, {.now = parse_iso8601(time).value()}); };
    const auto said = at("2024-04-04T00:00:00Z");
    ASSERT_TRUE(said) << failure(said);
    EXPECT_EQ(said->status.kind, CertStatus::Kind::good);
    EXPECT_EQ(said->signer, responder);
    EXPECT_EQ(to_iso8601(said->this_update), "2024-04-03T12:37:47Z");
    EXPECT_FALSE(said->signer_to_be_checked) << "it has id-pkix-ocsp-nocheck";
    EXPECT_FALSE(at("2024-04-03T00:00:00Z")) << "thisUpdate is yet to come";
    EXPECT_FALSE(at("2024-04-11T00:00:00Z")) << "nextUpdate has passed";
    EXPECT_FALSE(verify(issuer, device, der, std::nullopt, {.now = said->this_update})) << "of another issuer";
    const auto again = Response::parse(der);
    ASSERT_TRUE(again) << failure(again);
    EXPECT_EQ(encode_response_data(again->basic->data), again->basic->tbs);
}

}  // namespace
}  // namespace estuary::ocsp
