#include "estuary/net/client_tls.h"

#include <arpa/inet.h>

#include <array>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509v3.h>

#include "estuary/base/text.h"

namespace estuary::net {
namespace {

constexpr const char* cmc_ra_oid = "1.3.6.1.5.5.7.3.28";  // id-kp-cmcRA, RFC 6402 2.10
constexpr int names_shown_max = 5;

bool is_ip_address(const std::string& host) {
    in6_addr ignored{};
    return inet_pton(AF_INET, host.c_str(), &ignored) == 1 || inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

bool has_cmc_ra(const X509* certificate) {
    using Usages = Handle<EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE_free>;
    const Usages usages{static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr))};
    const Handle<ASN1_OBJECT, ASN1_OBJECT_free> wanted{OBJ_txt2obj(cmc_ra_oid, 1)};
    for (int i = 0; usages && i < sk_ASN1_OBJECT_num(usages.get()); ++i)
        if (OBJ_cmp(sk_ASN1_OBJECT_value(usages.get(), i), wanted.get()) == 0) return true;
    return false;
}

std::string name_text(const GENERAL_NAME& name) {
    int type = 0;
    const auto* value = static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(&name, &type));
    if (type != GEN_DNS && type != GEN_IPADD) return {};
    const auto* data = ASN1_STRING_get0_data(value);
    const int size = ASN1_STRING_length(value);
    if (type == GEN_DNS) return text::printable(as_text({data, static_cast<std::size_t>(size)}));
    std::array<char, INET6_ADDRSTRLEN> out{};
    if (size == 4 || size == 16) inet_ntop(size == 4 ? AF_INET : AF_INET6, data, out.data(), out.size());
    return out.data();
}

/// The DNS names and addresses of a certificate, for a message.
std::string names_of(const X509* certificate) {
    const Handle<GENERAL_NAMES, GENERAL_NAMES_free> names{
        static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
    std::string out;
    int shown = 0;
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()) && shown < names_shown_max; ++i) {
        const auto name = name_text(*sk_GENERAL_NAME_value(names.get(), i));
        if (name.empty()) continue;
        out += (shown++ > 0 ? ", " : "") + name;
    }
    return out.empty() ? "no host names" : out;
}

Error explain_chain(int error) {
    switch (error) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return {Code::not_authenticated,
                    "a certificate of the server's chain has expired; its owner must renew it "
                    "(or this machine's clock is wrong)"};
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return {Code::not_authenticated, "a certificate of the server's chain is not valid yet; check this machine's clock"};
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_CERT_UNTRUSTED:
            return {Code::not_authenticated,
                    "the server's certificate was issued by an unknown CA; give its CA certificate as "
                    "a trust anchor if you trust it"};
        default: break;
    }
    return {Code::not_authenticated,
            fmt::format("the server's certificate chain is not valid: {}", X509_verify_cert_error_string(error))};
}

/// Alerts by which a server refuses a client certificate.
bool refuses_our_certificate(int reason) {
    switch (reason) {
        case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
        case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
        case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
        case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
        case SSL_R_TLSV1_ALERT_DECRYPT_ERROR: return true;
        default: return false;
    }
}

}  // namespace

Result<std::unique_ptr<ServerJudge>> ServerJudge::create(const ClientTrust& trust, std::string host) {
    std::unique_ptr<ServerJudge> out{new ServerJudge};
    out->host_ = std::move(host);
    out->cmc_ra_ = trust.cmc_ra_instead_of_name;
    out->provisional_ = trust.provisional;
    if (!trust.explicit_anchors.empty()) {
        ESTUARY_TRY(out->explicit_, anchor_store(trust.explicit_anchors));
    }
    if (trust.system_anchors) {
        out->system_.reset(X509_STORE_new());
        X509_STORE_set_default_paths(out->system_.get());
        ERR_clear_error();
    }
    return out;
}

int ServerJudge::verify(X509_STORE_CTX* context, void* judge) {
    auto& self = *static_cast<ServerJudge*>(judge);
    auto* sent = X509_STORE_CTX_get0_untrusted(context);
    self.chain_ = ders_of(sent);
    const auto proof = self.judge(X509_STORE_CTX_get0_cert(context), sent);
    ERR_clear_error();
    if (proof) {
        self.proof_ = *proof;
        X509_STORE_CTX_set_error(context, X509_V_OK);
        return 1;
    }
    self.refusal_ = proof.error();
    X509_STORE_CTX_set_error(context, self.last_error_);  // chooses the alert
    return self.provisional_ ? 1 : 0;
}

Result<ServerProof> ServerJudge::judge(X509* end_entity, STACK_OF(X509) * sent) {
    if (!explicit_ && !system_) {
        last_error_ = X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
        return fail(Code::not_authenticated, "there are no trust anchors to check the server by; give its CA certificate");
    }
    if (!explicit_) return judge_system(end_entity, sent);
    auto by_explicit = judge_explicit(end_entity, sent);
    if (by_explicit || !system_) return by_explicit;
    if (auto by_system = judge_system(end_entity, sent)) return by_system;
    return by_explicit;
}

Result<ServerProof> ServerJudge::judge_explicit(X509* end_entity, STACK_OF(X509) * sent) {
    ESTUARY_CHECK(check_chain(*explicit_, end_entity, sent));
    const bool serves_tls = X509_check_purpose(end_entity, X509_PURPOSE_SSL_SERVER, 0) == 1;
    if (serves_tls && has_name(end_entity)) return ServerProof::explicit_anchor_and_name;
    //= https://www.rfc-editor.org/rfc/rfc7030#section-3.6.1
    // # the client MUST check either the configured URI or the most recent HTTP redirection URI against the server's
    // # identity according to the rules specified in [RFC6125], Section 6.4, or the EST server certificate MUST contain
    // # the id-kp-cmcRA [RFC6402] extended key usage extension.
    if (cmc_ra_ && has_cmc_ra(end_entity)) return ServerProof::explicit_anchor_and_cmc_ra;
    if (!serves_tls) {
        last_error_ = X509_V_ERR_INVALID_PURPOSE;
        return fail(Code::not_authenticated, "the server's certificate is not for TLS servers (extended key usage)");
    }
    last_error_ = X509_V_ERR_HOSTNAME_MISMATCH;
    return fail(Code::not_authenticated,
                fmt::format("the server's certificate is not for '{}' but for {}; use that name, or have it reissued", host_,
                            names_of(end_entity)));
}

Result<ServerProof> ServerJudge::judge_system(X509* end_entity, STACK_OF(X509) * sent) {
    ESTUARY_CHECK(check_chain(*system_, end_entity, sent));
    if (X509_check_purpose(end_entity, X509_PURPOSE_SSL_SERVER, 0) == 1 && has_name(end_entity))
        return ServerProof::system_anchor_and_name;
    last_error_ = X509_V_ERR_HOSTNAME_MISMATCH;
    return fail(Code::not_authenticated,
                fmt::format("the server's certificate is not for '{}' but for {}", host_, names_of(end_entity)));
}

Result<void> ServerJudge::check_chain(X509_STORE& anchors, X509* end_entity, STACK_OF(X509) * sent) {
    const StoreContextPtr context{X509_STORE_CTX_new()};
    if (!context || X509_STORE_CTX_init(context.get(), &anchors, end_entity, sent) != 1)
        return fail(Code::internal, "the server's certificate could not be checked", take_library_errors());
    auto* parameters = X509_STORE_CTX_get0_param(context.get());
    X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_ANY);  // the end entity's own is looked at afterwards
    X509_VERIFY_PARAM_set_auth_level(parameters, security_level);
    X509_VERIFY_PARAM_set_depth(parameters, verify_depth_max);
    last_error_ = X509_V_OK;
    if (X509_verify_cert(context.get()) != 1) {
        last_error_ = X509_STORE_CTX_get_error(context.get());
        if (last_error_ == X509_V_OK) last_error_ = X509_V_ERR_UNSPECIFIED;
    } else if (!issuers_are_cas(X509_STORE_CTX_get0_chain(context.get()))) {
        last_error_ = X509_V_ERR_INVALID_CA;
    }
    if (last_error_ == X509_V_OK) {
        path_ = ders_of(X509_STORE_CTX_get0_chain(context.get()));
        return {};
    }
    return fail(explain_chain(last_error_));
}

/// RFC 9525 6: subjectAltName only, never the common name; a wildcard is a whole leftmost label.
bool ServerJudge::has_name(X509* end_entity) const {
    if (is_ip_address(host_)) return X509_check_ip_asc(end_entity, host_.c_str(), 0) == 1;
    constexpr unsigned flags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;
    return X509_check_host(end_entity, host_.c_str(), host_.size(), flags, nullptr) == 1;
}

Result<SslContextPtr> new_client_context(const ClientOptions& options, ServerJudge& judge) {
    ESTUARY_TRY(auto context, new_tls_context(TLS_client_method(), {}));
    if (!options.tls_1_3) SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(context.get(), ServerJudge::verify, &judge);
    if (options.identity) ESTUARY_CHECK(use_identity(*context, options.identity->chain, options.identity->key));
    return context;
}

Error explain_tls_failure(int reason, const std::string& library_error, const std::string& host) {
    if (refuses_our_certificate(reason))
        return {Code::not_authenticated, fmt::format("{} refused our client certificate", host), library_error};
    if (reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED)
        return {Code::not_authenticated, fmt::format("{} wants a client certificate", host), library_error};
    if (reason == SSL_R_WRONG_VERSION_NUMBER)
        return {Code::unavailable, fmt::format("{} does not speak TLS on this port; check the port", host), library_error};
    if (reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION || reason == SSL_R_UNSUPPORTED_PROTOCOL)
        return {Code::unavailable, fmt::format("{} speaks neither TLS 1.2 nor 1.3", host), library_error};
    return {Code::unavailable, fmt::format("the TLS handshake with {} failed", host), library_error};
}

}  // namespace estuary::net
