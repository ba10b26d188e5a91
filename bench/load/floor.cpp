#include "floor.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "connection.h"

namespace estuary::load {
namespace {

using Key = Handle<EVP_PKEY, EVP_PKEY_free>;
using Cert = Handle<X509, X509_free>;
using MdCtx = Handle<EVP_MD_CTX, EVP_MD_CTX_free>;

double thread_cpu_us() {
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

void need(bool done) {
    if (!done) throw std::runtime_error{"the floor measurement failed in OpenSSL"};
}

template <class Operation>
double best_window(Operation&& operation, int count) {
    double best = 1e9;
    for (int window = 0; window < 7; ++window) {
        double spent = 0;
        for (int i = 0; i < count; ++i) spent += operation();
        best = std::min(best, spent / count);
    }
    return best;
}

double sign() {
    const Key key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
    const std::array<unsigned char, 200> message{};  // about a ResponseData
    std::array<unsigned char, 128> signature{};
    return best_window(
        [&] {
            const double start = thread_cpu_us();
            std::size_t size = signature.size();
            const MdCtx signer{EVP_MD_CTX_new()};
            need(EVP_DigestSignInit(signer.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1);
            need(EVP_DigestSign(signer.get(), signature.data(), &size, message.data(), message.size()) == 1);
            return thread_cpu_us() - start;
        },
        400);
}

double verify_and_sign() {
    const Key key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")};
    const std::array<unsigned char, 400> message{};
    std::array<unsigned char, 128> signature{};
    std::size_t size = signature.size();
    return best_window(
        [&] {
            const double start = thread_cpu_us();
            size = signature.size();
            const MdCtx signer{EVP_MD_CTX_new()};
            need(EVP_DigestSignInit(signer.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1);
            need(EVP_DigestSign(signer.get(), signature.data(), &size, message.data(), message.size()) == 1);
            const MdCtx verifier{EVP_MD_CTX_new()};
            need(EVP_DigestVerifyInit(verifier.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1);
            need(EVP_DigestVerify(verifier.get(), signature.data(), size, message.data(), message.size()) == 1);
            return thread_cpu_us() - start;
        },
        400);
}

constexpr int mac_iterations = 10'000;

double pbkdf2() {
    std::array<unsigned char, 32> salt{}, key{};
    return best_window(
        [&] {
            const double start = thread_cpu_us();
            need(PKCS5_PBKDF2_HMAC("the secret", 10, salt.data(), static_cast<int>(salt.size()), mac_iterations, EVP_sha256(),
                                   static_cast<int>(key.size()), key.data()) == 1);
            return thread_cpu_us() - start;
        },
        3);
}

double hashes() {
    std::array<unsigned char, 32> digest{};
    const Handle<EVP_MD, EVP_MD_free> sha256{EVP_MD_fetch(nullptr, "SHA256", nullptr)};
    const MdCtx context{EVP_MD_CTX_new()};
    return best_window(
        [&] {
            const double start = thread_cpu_us();
            for (int i = 0; i < mac_iterations; ++i) {
                need(EVP_DigestInit_ex2(context.get(), sha256.get(), nullptr) == 1);
                need(EVP_DigestUpdate(context.get(), digest.data(), digest.size()) == 1);
                need(EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1);
            }
            return thread_cpu_us() - start;
        },
        3);
}

struct Party {
    Key key;
    Cert certificate;
};

Party make_party(const char* name, const Party* issuer) {
    Party party{Key{EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256")}, Cert{X509_new()}};
    auto* certificate = party.certificate.get();
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
    auto* subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    X509_set_issuer_name(certificate, issuer == nullptr ? subject : X509_get_subject_name(issuer->certificate.get()));
    X509_set_pubkey(certificate, party.key.get());
    if (issuer == nullptr) {
        Handle<BASIC_CONSTRAINTS, BASIC_CONSTRAINTS_free> constraints{BASIC_CONSTRAINTS_new()};
        constraints->ca = 0xFF;
        X509_add1_ext_i2d(certificate, NID_basic_constraints, constraints.get(), 1, 0);
    }
    need(X509_sign(certificate, issuer == nullptr ? party.key.get() : issuer->key.get(), EVP_sha256()) != 0);
    return party;
}

double server_half(bool with_client_certificate) {
    const Party ca = make_party("floor CA", nullptr);
    const Party server = make_party("floor server", &ca);
    const Party client = make_party("floor client", &ca);
    const SslCtx server_context{SSL_CTX_new(TLS_server_method())};
    const SslCtx client_context{SSL_CTX_new(TLS_client_method())};
    SSL_CTX_set_num_tickets(server_context.get(), 0);
    SSL_CTX_set_session_cache_mode(server_context.get(), SSL_SESS_CACHE_OFF);
    std::array<int, 1> groups{NID_X25519};
    SSL_CTX_set1_groups(client_context.get(), groups.data(), groups.size());
    need(SSL_CTX_use_certificate(server_context.get(), server.certificate.get()) == 1);
    need(SSL_CTX_use_PrivateKey(server_context.get(), server.key.get()) == 1);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(client_context.get()), ca.certificate.get());
    X509_STORE_add_cert(SSL_CTX_get_cert_store(server_context.get()), ca.certificate.get());
    SSL_CTX_set_verify(client_context.get(), SSL_VERIFY_PEER, nullptr);
    if (with_client_certificate) {
        SSL_CTX_set_verify(server_context.get(), SSL_VERIFY_PEER, nullptr);
        need(SSL_CTX_use_certificate(client_context.get(), client.certificate.get()) == 1);
        need(SSL_CTX_use_PrivateKey(client_context.get(), client.key.get()) == 1);
    }
    return best_window(
        [&] {
            Ssl near{SSL_new(client_context.get())};
            BIO *client_bio = nullptr, *server_bio = nullptr;
            need(BIO_new_bio_pair(&client_bio, 0, &server_bio, 0) == 1);
            SSL_set_bio(near.get(), client_bio, client_bio);
            SSL_set_connect_state(near.get());
            double spent = -thread_cpu_us();
            Ssl far{SSL_new(server_context.get())};
            SSL_set_bio(far.get(), server_bio, server_bio);
            SSL_set_accept_state(far.get());
            spent += thread_cpu_us();
            bool server_done = false;
            for (int round = 0; !server_done && round < 10; ++round) {
                SSL_do_handshake(near.get());
                const double start = thread_cpu_us();
                server_done = SSL_do_handshake(far.get()) == 1;
                spent += thread_cpu_us() - start;
            }
            need(server_done);
            const double start = thread_cpu_us();
            far.reset();
            return spent + thread_cpu_us() - start;
        },
        100);
}

}  // namespace

Floor measure_floor() { return {verify_and_sign(), sign(), server_half(false), pbkdf2(), hashes(), server_half(true)}; }

}  // namespace estuary::load
