// The plain case of path validation against OpenSSL: what the former accepts, the latter accepts, and by the same path. Certificates
// are made here with each rule kept and broken, in all sorts of combinations, and with octets changed at random under a signature
// that holds.
#include <array>
#include <atomic>
#include <random>
#include <thread>

#include "plain_path_support.h"

namespace estuary::x509 {
namespace {

using namespace test::plain;

class PlainPathRule : public testing::TestWithParam<std::size_t> {};

TEST_P(PlainPathRule, GivesTheVerdictOfOpenssl) {
    const auto& change = all_changes()[GetParam()];
    for (const auto& [issuer, handed_in] : plain_world().between) {
        auto device = plain_world().device(*issuer);
        if (change.name == "nothing_handed_in" && handed_in.empty()) continue;
        change.apply(device);
        const auto certificate = device.make();
        SCOPED_TRACE(issuer->certificate.subject().to_text());
        EXPECT_EQ(plain_world().judge(certificate, device.between, device.at), change.plain);
        const auto path = plain_world().ask(certificate, device.between, device.at);
        if (change.accepted) {
            EXPECT_EQ(path.has_value(), *change.accepted) << test::failure(path) << "\n" << certificate.to_pem();
        }
    }
}

INSTANTIATE_TEST_SUITE_P(Each, PlainPathRule, testing::Range(std::size_t{0}, all_changes().size()),
                         [](const auto& test) { return all_changes()[test.param].name; });

/// Numbers that are the same in every run.
class Dice {
public:
    explicit Dice(unsigned seed) : engine_{seed} {}
    std::size_t below(std::size_t limit) { return engine_() % limit; }
    template <class List>
    const auto& one_of(const List& list) {
        return *std::next(list.begin(), static_cast<std::ptrdiff_t>(below(list.size())));
    }

private:
    std::mt19937 engine_;
};

Device some_device(Dice& dice, std::size_t changes, bool plain_only) {
    auto device = plain_world().device(*dice.one_of(plain_world().between).first);
    for (std::size_t i = 0; i < changes;) {
        const auto& change = dice.one_of(all_changes());
        if (plain_only && !change.plain) continue;
        change.apply(device);
        ++i;
    }
    return device;
}

TEST(PlainPath, AnyRulesTogetherGiveTheVerdictOfOpenssl) {
    Dice dice{1};
    std::size_t plain = 0;
    for (int i = 0; i < 1500; ++i) {
        const auto device = some_device(dice, 1 + dice.below(4), i % 2 == 0);
        plain += plain_world().judge(device.make(), device.between, device.at) ? 1u : 0u;
    }
    EXPECT_GT(plain, 500u);
    EXPECT_LT(plain, 1300u);
}

/// One octet becomes another, or goes, or comes; lengths above it stay as they are, or follow.
ByteVec spoil(ByteVec octets, Dice& dice) {
    const auto at = 4 + dice.below(octets.size() - 4);
    switch (dice.below(5)) {
        case 0: octets[at] ^= static_cast<std::uint8_t>(1u << dice.below(8)); break;
        case 1: octets[at] = static_cast<std::uint8_t>(dice.below(256)); break;
        case 2: octets[at] = dice.one_of(std::array<std::uint8_t, 12>{0x00, 0x01, 0x02, 0x03, 0x05, 0x0c, 0x16, 0x30, 0x31, 0x80, 0xa0, 0xff}); break;
        case 3: ++octets[at]; break;
        default: std::swap(octets[at], octets[4 + dice.below(octets.size() - 4)]); break;
    }
    return octets;
}

/// Any element of the TBSCertificate goes, comes twice, becomes empty, or changes place; all lengths are right again.
ByteVec rearrange(Bytes content, Dice& dice, unsigned depth) {
    std::vector<ByteVec> parts;
    for (der::Reader reader{content}; !reader.empty();) {
        const auto element = reader.any();
        if (!element) return to_vec(content);
        parts.push_back(to_vec(element->whole));
    }
    if (parts.empty()) return {};
    const auto at = dice.below(parts.size());
    der::Reader reader{parts[at]};
    const auto element = reader.any().value();
    if (is_constructed(element.tag) && depth > 0 && dice.below(4) != 0) {
        parts[at] = test::tlv(element.tag, rearrange(element.content, dice, depth - 1));
    } else {
        switch (dice.below(5)) {
            case 0: parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(at)); break;
            case 1: parts.insert(parts.begin() + static_cast<std::ptrdiff_t>(at), ByteVec{parts[at]}); break;
            case 2: parts[at] = test::tlv(element.tag, {}); break;
            case 3: std::swap(parts[at], parts[dice.below(parts.size())]); break;
            default: parts[at][0] = static_cast<std::uint8_t>(dice.below(256)); break;
        }
    }
    ByteVec all;
    for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
    return all;
}

/// Whether what was made of a device's TBSCertificate is a certificate to us, and a plain one. It is signed, so nothing but its
/// octets can tell it from a good one.
struct Reread {
    bool readable = false, plain = false;
};
Reread judge_spoilt(const Device& device, Bytes tbs) {
    const auto& key = device.issuer->key;
    const auto certificate = Certificate::parse(encode_certificate(tbs, device.tbs.signature_algorithm, key.sign(tbs).value()));
    if (!certificate) return {};
    return {true, plain_world().judge(*certificate, device.between, device.at)};
}

TEST(PlainPath, OctetsChangedUnderAGoodSignatureGiveTheVerdictOfOpenssl) {
    Dice dice{2};
    int readable = 0, plain = 0;
    for (int i = 0; i < 3000; ++i) {
        const auto device = some_device(dice, dice.below(3), true);
        auto tbs = encode_tbs(device.tbs);
        for (auto times = 1 + dice.below(3); times > 0; --times) tbs = spoil(std::move(tbs), dice);
        const auto found = judge_spoilt(device, tbs);
        readable += found.readable ? 1 : 0;
        plain += found.plain ? 1 : 0;
    }
    EXPECT_GT(plain, 100);
    EXPECT_GT(readable, plain + 100);
}

TEST(PlainPath, ElementsChangedUnderAGoodSignatureGiveTheVerdictOfOpenssl) {
    Dice dice{3};
    int readable = 0, plain = 0;
    for (int i = 0; i < 3000; ++i) {
        const auto device = some_device(dice, dice.below(3), true);
        const auto tbs = encode_tbs(device.tbs);
        der::Reader reader{tbs};
        const auto found = judge_spoilt(device, test::tlv(der::Tag::sequence, rearrange(reader.content(der::Tag::sequence).value(), dice, 6)));
        readable += found.readable ? 1 : 0;
        plain += found.plain ? 1 : 0;
    }
    EXPECT_GT(plain, 50);
    EXPECT_GT(readable, plain + 50);
}

TEST(PlainPath, ASignatureOfOtherOctetsIsNotPlain) {
    Dice dice{4};
    for (int i = 0; i < 500; ++i) {
        const auto device = some_device(dice, dice.below(3), true);
        auto octets = to_vec(device.make().der());
        octets[dice.below(octets.size())] ^= static_cast<std::uint8_t>(1u << dice.below(8));
        const auto certificate = Certificate::parse(octets);
        if (!certificate) continue;
        EXPECT_FALSE(plain_world().paths.find(*certificate, device.between, {.at = device.at})) << certificate->to_pem();
    }
}

/// What stands above a device, taught to paths of their own as if OpenSSL had accepted it.
std::size_t learnt(const std::vector<Certificate>& anchors, const std::vector<Certificate>& above, const std::vector<Certificate>& between) {
    const PlainPaths paths{anchors};
    std::vector<Certificate> path{plain_world().device(plain_world().root).make()};
    path.insert(path.end(), above.begin(), above.end());
    paths.learn(path, between, {.at = plain_now});
    return paths.size();
}

TEST(PlainPath, KeepsOnlyPlainIssuers) {
    const auto& world = plain_world();
    const auto& root = world.root.certificate;
    const auto& issuing = world.p256.certificate;
    EXPECT_EQ(learnt({root}, {issuing, root}, {issuing}), 1u);
    EXPECT_EQ(learnt({root}, {root}, {}), 1u);
    EXPECT_EQ(learnt({root}, {issuing, root}, {issuing, issuing}), 1u);
    EXPECT_EQ(learnt({root}, {issuing, root}, {issuing, world.rsa.certificate}), 0u) << "another one was handed in";
    EXPECT_EQ(learnt({root}, {issuing, root}, {}), 0u);
    EXPECT_EQ(learnt({}, {issuing, root}, {issuing}), 0u) << "no anchor";
    EXPECT_EQ(learnt({root}, {}, {}), 0u);
    // Two ways up: another anchor, or another CA of the path, has the name.
    const auto twin = plain_root("CN=maker  root,O=Maker", new_key()).certificate;
    EXPECT_EQ(learnt({root, twin}, {issuing, root}, {issuing}), 0u);
    const auto namesake = plain_root("CN=Maker P-256,O=Maker", new_key()).certificate;
    EXPECT_EQ(learnt({root, namesake}, {issuing, root}, {issuing}), 0u);
    const auto self_issued = plain_ca("CN=Maker Root,O=Maker", new_key(), world.root).certificate;
    EXPECT_EQ(learnt({root}, {self_issued, root}, {self_issued}), 0u);
    // What a CA can impose on those below it.
    NameConstraints constraints;
    constraints.permitted = {test::general_name("dns:example")};
    for (const auto& extension : {make_name_constraints(constraints), plain_extension("2.5.29.36", "3003800100", true), plain_extension("2.5.29.54", "020100", true),
                                  plain_extension("2.5.29.33", "300c300a06032a030406032a0305", true), plain_extension("1.3.6.1.5.5.7.1.7", "3000", true),
                                  plain_extension("1.3.6.1.4.1.99999.7", "0500")}) {
        const auto odd = plain_ca("CN=odd", new_key(), world.root, [&](TbsCertificate& tbs) { tbs.extensions.push_back(extension); }).certificate;
        EXPECT_EQ(learnt({root}, {odd, root}, {odd}), 0u) << extension.id.dotted();
    }
    const auto large = plain_ca("CN=large", new_key(), world.root, [](TbsCertificate& tbs) {
                           tbs.extensions.push_back(make_subject_alt_name(std::vector(256, test::general_name("dns:" + std::string(60, 'a') + ".example")), false));
                       }).certificate;
    EXPECT_EQ(learnt({root}, {large, root}, {large}), 0u);
}

TEST(PlainPath, DependsOnWhatIsHandedInAndAsked) {
    const auto& world = plain_world();
    const auto& issuing = world.p256.certificate;
    const auto device = world.device(world.p256).make();
    const auto is_found = [&](const std::vector<Certificate>& between, const PathOptions& options) { return world.paths.find(device, between, options).has_value(); };
    EXPECT_TRUE(is_found({issuing}, {.at = plain_now}));
    EXPECT_TRUE(is_found({issuing, issuing}, {.at = plain_now}));
    EXPECT_FALSE(is_found({}, {.at = plain_now})) << "accepted only because somebody else sent the issuer before";
    EXPECT_FALSE(is_found({issuing, world.rsa.certificate}, {.at = plain_now}));
    EXPECT_FALSE(is_found({issuing}, {.at = plain_now, .depth_max = 0}));
    EXPECT_FALSE(is_found({issuing}, {.at = plain_now, .anchors_may_be_intermediates = false}));
    const auto deep = world.device(world.deep).make();
    EXPECT_TRUE(world.paths.find(deep, {issuing, world.deep.certificate}, {.at = plain_now}));
    EXPECT_FALSE(world.paths.find(deep, {world.deep.certificate}, {.at = plain_now}));
}

TEST(PlainPath, AnAnchorIsNoEndEntity) {
    const auto& world = plain_world();
    const auto device = world.device(world.root).make();
    const PlainPaths paths{{world.root.certificate, device}};
    paths.learn({world.device(world.root).make(), world.root.certificate}, {}, {.at = plain_now});
    EXPECT_EQ(paths.size(), 1u);
    EXPECT_FALSE(paths.find(device, {}, {.at = plain_now})) << "which path to such a one is found is OpenSSL's business";
    EXPECT_TRUE(paths.find(world.device(world.root).make(), {}, {.at = plain_now}));
}

TEST(PlainPath, ForgetsWhatWasNotAskedForTheLongest) {
    const auto& world = plain_world();
    const PlainPaths paths{world.anchors};
    const auto key = new_key();
    const auto teach = [&](const std::string& name) {
        const auto ca = plain_ca(name, key, world.root);
        const auto device = sign_as(ca, plain_tbs("CN=device", world.device_key, ca));
        paths.learn({device, ca.certificate, world.root.certificate}, {ca.certificate}, {.at = plain_now});
        return std::pair{device, ca.certificate};
    };
    const auto first = teach("CN=first"), second = teach("CN=second");
    for (std::size_t i = 2; i < PlainPaths::issuers_max; ++i) teach("CN=" + std::to_string(i));
    EXPECT_EQ(paths.size(), PlainPaths::issuers_max);
    EXPECT_TRUE(paths.find(first.first, {first.second}, {.at = plain_now}));
    const auto newest = teach("CN=newest");
    EXPECT_EQ(paths.size(), PlainPaths::issuers_max);
    EXPECT_TRUE(paths.find(first.first, {first.second}, {.at = plain_now}));
    EXPECT_TRUE(paths.find(newest.first, {newest.second}, {.at = plain_now}));
    EXPECT_FALSE(paths.find(second.first, {second.second}, {.at = plain_now}));
}

TEST(PlainPath, ServesManyThreads) {
    const auto& world = plain_world();
    const auto anchors = TrustAnchors::create(world.anchors).value();
    std::atomic<int> wrong = 0;
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (const auto& [issuer, between] : world.between)
                for (int j = 0; j < 4; ++j) {
                    const auto device = world.device(*issuer).make();
                    auto spoilt = world.device(*issuer);
                    spoilt.remove(oid::authority_key_identifier);
                    const auto path = validate_path(device, between, anchors, {.at = plain_now});
                    if (!path || path->size() != between.size() + 2 || path->front() != device ||
                        path->back() != world.root.certificate || validate_path(spoilt.make(), between, anchors, {.at = plain_now}))
                        ++wrong;
                }
        });
    threads.clear();
    EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace estuary::x509
