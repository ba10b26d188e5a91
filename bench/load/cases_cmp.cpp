#include "cases_cmp.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>

#include "estuary/cmp/client.h"
#include "process.h"

namespace estuary::load {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::uint64_t usual_iterations = 10'000, flood_iterations = 100'000;
constexpr unsigned flood_connections = 8, flood_per_second = 200;
/// Under so many names: fewer would be slowed down by name, and nothing computed.
constexpr unsigned flood_messages = 300;

template <class T>
T must(Result<T> result) {
    if (!result) throw std::runtime_error{fmt::format("{} {}", result.error().detail, result.error().cause)};
    return std::move(*result);
}

std::string in_http(Bytes message) {
    return fmt::format("POST /.well-known/cmp HTTP/1.1\r\nHost: localhost\r\nUser-Agent: estuary-load\r\nContent-Type: application/pkixcmp\r\n"
                       "Content-Length: {}\r\n\r\n{}",
                       message.size(), as_text(message));
}

/// Transactions begun, each used once; the first messages as HTTP requests, and the answers, which are looked at in the end.
class Enrollments {
public:
    explicit Enrollments(const CmpPeer& peer) : peer_{peer}, anchors_{must(x509::parse_certificates(as_bytes(peer.ca_pem)))} {}

    void add(CmpProtection protection) {
        const auto number = transactions_.size();
        switch (protection) {
            case CmpProtection::certificate: return begin({.credentials = holder()}, subject_of(holder().chain.front()));
            case CmpProtection::maker: {
                auto device = make_device(number);
                const auto subject = subject_of(device.chain.front());
                return begin({.credentials = std::move(device)}, subject);
            }
            case CmpProtection::pbmac1: return begin({.credentials = secret(crypto::PasswordMacChoice::Scheme::pbmac1)}, new_subject(number));
            case CmpProtection::password_based_mac:
                return begin({.credentials = secret(crypto::PasswordMacChoice::Scheme::password_based_mac)}, new_subject(number));
        }
    }
    void add(CmpProtection protection, unsigned count) {
        for (unsigned i = 0; i < count; ++i) add(protection);
    }

    const std::string& request(std::size_t i) const { return requests_[i]; }
    void take(std::size_t i, const Reply& reply) {
        expect_200(reply);
        answers_[i] = reply.body;
    }
    /// Each must be a certificate.
    void check() {
        for (std::size_t i = 0; i < transactions_.size(); ++i) {
            const auto step = must(transactions_[i].take(as_bytes(answers_[i])));
            const auto* outcome = std::get_if<cmp::ClientOutcome>(&step);
            if (outcome == nullptr || !std::holds_alternative<cmp::Enrolled>(*outcome)) throw std::runtime_error{"an ir was not answered by a certificate"};
        }
    }

private:
    static x509::Name subject_of(const x509::Certificate& certificate) { return certificate.subject(); }
    x509::Name new_subject(std::size_t number) const {
        static const auto run = std::chrono::system_clock::now().time_since_epoch().count();
        return must(x509::Name::from_text(fmt::format("CN=load-cmp-{}-{}-{}", run, series_, number)));
    }
    cmp::ClientSecret secret(crypto::PasswordMacChoice::Scheme scheme) const {
        cmp::ClientSecret own{peer_.user, crypto::Secret{std::string_view{peer_.secret}}};
        own.mac.scheme = scheme;
        own.mac.iterations = usual_iterations;
        return own;
    }
    void begin(cmp::ClientConfig config, const x509::Name& subject) {
        config.anchors = anchors_;
        const auto client = must(cmp::Client::create(std::move(config), clock_, entropy_));
        cmp::CertificateWish wish;
        wish.subject = subject;
        wish.key = must(crypto::PrivateKey::generate("p256"));
        transactions_.push_back(must(client.begin(std::move(wish))));
        requests_.push_back(in_http(transactions_.back().message()));
        answers_.emplace_back();
    }
    /// Who has a certificate of the CA's already: it enrolls its own name only.
    const cmp::ClientSigner& holder() {
        if (holder_) return *holder_;
        const auto key = must(crypto::PrivateKey::generate("p256"));
        const auto client = must(cmp::Client::create({.credentials = secret(crypto::PasswordMacChoice::Scheme::pbmac1)}, clock_, entropy_));
        cmp::CertificateWish wish;
        wish.subject = new_subject(0);
        wish.key = key;
        auto transaction = must(client.begin(std::move(wish)));
        const auto reply = Connection{peer_.address}.exchange(in_http(transaction.message()));
        expect_200(reply);
        const auto step = must(transaction.take(as_bytes(reply.body)));
        holder_ = cmp::ClientSigner{key, {std::get<cmp::Enrolled>(std::get<cmp::ClientOutcome>(step)).certificate}};
        return *holder_;
    }
    /// As its maker has made it (IDevID).
    cmp::ClientSigner make_device(std::size_t number) {
        if (!maker_) maker_ = cmp::ClientSigner{must(crypto::PrivateKey::from_bytes(as_bytes(peer_.maker_key_pem))),
                                                must(x509::parse_certificates(as_bytes(peer_.maker_pem)))};
        const auto& ca = maker_->chain.front();
        const auto key = must(crypto::PrivateKey::generate("p256"));
        x509::TbsCertificate tbs;
        tbs.serial_number = {0x01, static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
        tbs.signature_algorithm = must(maker_->key.signature_algorithm())->identifier;
        tbs.issuer = ca.subject();
        tbs.not_before = clock_.now() - Seconds{60};
        tbs.not_after = clock_.now() + Seconds{86'400};
        tbs.subject = new_subject(number);
        tbs.spki = to_vec(key.public_key().spki());
        tbs.extensions = {x509::make_key_usage(x509::digital_signature), x509::make_subject_key_identifier(must(x509::key_identifier(tbs.spki))),
                          x509::make_authority_key_identifier(ca.subject_key_id().value())};
        const auto octets = x509::encode_tbs(tbs);
        const auto der = x509::encode_certificate(octets, tbs.signature_algorithm, must(maker_->key.sign(octets)));
        return {key, {must(x509::Certificate::parse(der))}};
    }

    static inline std::atomic<unsigned> all_series_{0};
    const unsigned series_ = all_series_++;
    const CmpPeer& peer_;
    const std::vector<x509::Certificate> anchors_;
    SystemClock clock_;
    crypto::SystemEntropy entropy_;
    std::optional<cmp::ClientSigner> holder_, maker_;
    std::vector<cmp::ClientTransaction> transactions_;
    std::vector<std::string> requests_, answers_;
};

std::string name_of(CmpProtection protection) {
    switch (protection) {
        case CmpProtection::certificate: return "cmp ir, own certificate";
        case CmpProtection::maker: return "cmp ir, maker's certificate";
        case CmpProtection::pbmac1: return "cmp ir, PBMAC1 10,000";
        case CmpProtection::password_based_mac: return "cmp ir, PBM 10,000";
    }
    return {};
}

/// Possession is verified and the certificate signed; the message is verified and the answer protected; and the path, if there is one.
double floor_of(CmpProtection protection, const Floor& floor) {
    switch (protection) {
        case CmpProtection::certificate: return 2 * floor.verify_sign_us;
        case CmpProtection::maker: return 3 * floor.verify_sign_us - floor.sign_us;
        case CmpProtection::pbmac1: return floor.verify_sign_us + 2 * floor.pbkdf2_us;
        case CmpProtection::password_based_mac: return floor.verify_sign_us + 2 * floor.hashes_us;
    }
    return 0;
}

/// Messages of strangers under a name each, which take so many iterations to refuse.
std::vector<std::string> flood_of_macs() {
    std::vector<std::string> messages(flood_messages);
    std::atomic<std::size_t> next{0};
    const auto make = [&] {
        SystemClock clock;
        crypto::SystemEntropy entropy;
        for (auto i = next++; i < messages.size(); i = next++) {
            cmp::ClientSecret own{fmt::format("stranger-{}", i), crypto::Secret{std::string_view{"not the secret of anybody"}}};
            own.mac.iterations = flood_iterations;
            cmp::CertificateWish wish;
            wish.subject = must(x509::Name::from_text("CN=stranger"));
            wish.key = must(crypto::PrivateKey::generate("p256"));
            messages[i] = in_http(must(must(cmp::Client::create({.credentials = std::move(own)}, clock, entropy)).begin(std::move(wish))).message());
        }
    };
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) threads.emplace_back(make);
    for (auto& thread : threads) thread.join();
    return messages;
}

/// An error that says systemUnavail: ask again later.
bool is_put_off(const Reply& reply) {
    const auto message = must(cmp::PkiMessage::parse(as_bytes(reply.body)));
    if (message.type() != cmp::BodyType::error) return false;
    const auto& failure = message.as<cmp::ErrorMsgContent>().status_info.fail_info;
    return failure && failure->has(cmp::PkiFailure::system_unavail);
}

std::vector<Paced> ordinary(const CmpPeer& peer, std::chrono::seconds duration) {
    const auto connect = [&] { return std::make_unique<Connection>(peer.address); };
    const auto seconds = static_cast<unsigned>(duration.count());
    Enrollments is_signed{peer}, with_mac{peer};
    const auto kind = [&](const std::string& name, unsigned per_second, Enrollments& enrollments, CmpProtection protection) {
        enrollments.add(protection, per_second * seconds);
        return Kind{name, per_second, connect, [&](std::size_t i) -> const std::string& { return enrollments.request(i); },
                    [&](std::size_t i, const Reply& reply) { enrollments.take(i, reply); }};
    };
    const auto measured = pace({kind("cmp, signed", 60, is_signed, CmpProtection::certificate), kind("cmp, PBMAC1", 10, with_mac, CmpProtection::pbmac1)}, duration);
    is_signed.check();
    with_mac.check();
    return measured;
}

}  // namespace

Measured cmp_enroll(const Target& target, const CmpPeer& peer, const Floor& floor, CmpProtection protection, unsigned requests) {
    Enrollments enrollments{peer};
    enrollments.add(protection, requests);
    auto measured = run(target, name_of(protection), requests, [&] {
        auto connection = std::make_shared<Connection>(peer.address);
        return [&enrollments, connection](unsigned i) { enrollments.take(i, connection->exchange(enrollments.request(i))); };
    });
    enrollments.check();
    measured.floor_us = floor_of(protection, floor);
    return measured;
}

Flooded cmp_flood(const Target& target, const CmpPeer& peer, std::chrono::seconds duration) {
    const auto messages = flood_of_macs();
    Flooded result;
    result.alone = ordinary(peer, duration);
    std::atomic<bool> over{false};
    std::atomic<std::size_t> next{0}, computed{0}, put_off{0};
    std::vector<std::thread> threads;
    const double cpu_before = cpu_us(target.server_process);
    const auto start = Steady::now();
    for (unsigned i = 0; i < flood_connections; ++i)
        threads.emplace_back([&] {
            try {
                Connection connection{peer.address};
                while (!over) {
                    const auto number = next++;
                    std::this_thread::sleep_until(start + std::chrono::nanoseconds{std::nano::den} * number / flood_per_second);
                    ++(is_put_off(connection.exchange(messages[number % messages.size()])) ? put_off : computed);
                }
            } catch (const std::exception& error) {
                fmt::print(stderr, "load: a connection of the flood ended: {}\n", error.what());
            }
        });
    result.beside = ordinary(peer, duration);
    over = true;
    for (auto& thread : threads) thread.join();
    result.cores = (cpu_us(target.server_process) - cpu_before) / std::chrono::duration<double, std::micro>(Steady::now() - start).count();
    result.computed = computed;
    result.put_off = put_off;
    return result;
}

}  // namespace estuary::load
