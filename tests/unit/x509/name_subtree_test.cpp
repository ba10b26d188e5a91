// Subtrees of nameConstraints within one another (RFC 5280 4.2.1.10).
#include <gtest/gtest.h>

#include "estuary/x509/name_constraints.h"

namespace estuary::x509 {
namespace {

GeneralName subtree(std::string_view text) {
    auto made = name_subtree_from_text(text);
    EXPECT_TRUE(made) << text << ": " << (made ? "" : made.error().detail);
    return made.value_or(GeneralName{});
}

TEST(NameSubtree, TextGoesThereAndBack) {
    for (const auto* text : {"dns:example.com", "dns:.example.com", "email:example.com", "email:.example.com", "email:a@example.com", "uri:.example.com",
                             "ip:192.0.2.0/24", "ip:0.0.0.0/0", "ip:2001:db8::/32", "dirname:O=Example"})
        EXPECT_EQ(name_subtree_text(subtree(text)), text);
    EXPECT_EQ(name_subtree_text(subtree("ip:192.0.2.1")), "ip:192.0.2.1/32");
    EXPECT_EQ(subtree("ip:192.0.2.0/25").value, (ByteVec{192, 0, 2, 0, 255, 255, 255, 128}));
}

TEST(NameSubtree, TextThatIsNone) {
    for (const auto* text : {"", "example.com", "dns:", "dns:*.example.com", "dns:a b", "dns:a\x01", "email:", "uri:https://example.com/", "ip:192.0.2.0/33",
                             "ip:192.0.2.1/24", "ip:192.0.2.0/x", "ip:host", "dirname:no", "rid:1.2.3", "upn:a@b", "DNS:a"})
        EXPECT_FALSE(name_subtree_from_text(text)) << text;
}

struct Pair {
    const char *subtree, *base;
    bool within;
};
class SubtreeWithin : public testing::TestWithParam<Pair> {};
TEST_P(SubtreeWithin, IsTold) {
    const auto& pair = GetParam();
    EXPECT_EQ(lies_within(subtree(pair.subtree), subtree(pair.base)), pair.within) << pair.subtree << " in " << pair.base;
}
INSTANTIATE_TEST_SUITE_P(
    X509, SubtreeWithin,
    testing::Values(Pair{"dns:example.com", "dns:example.com", true}, Pair{"dns:a.example.com", "dns:example.com", true},
                    Pair{"dns:A.EXAMPLE.com", "dns:example.com", true}, Pair{"dns:.example.com", "dns:example.com", true},
                    Pair{"dns:example.com", "dns:.example.com", false}, Pair{"dns:.example.com", "dns:.example.com", true},
                    Pair{"dns:evilexample.com", "dns:example.com", false}, Pair{"dns:com", "dns:example.com", false},
                    Pair{"dns:example.com", "uri:example.com", false}, Pair{"email:a@example.com", "email:example.com", true},
                    Pair{"email:example.com", "email:a@example.com", false}, Pair{"email:a@example.com", "email:b@example.com", false},
                    Pair{"email:a.example.com", "email:.example.com", true}, Pair{"email:.a.example.com", "email:.example.com", true},
                    Pair{"email:.example.com", "email:example.com", false}, Pair{"email:a.example.com", "email:example.com", false},
                    Pair{"uri:a.example.com", "uri:.example.com", true}, Pair{"uri:.a.example.com", "uri:.example.com", true},
                    Pair{"uri:.example.com", "uri:example.com", false}, Pair{"uri:example.com", "uri:example.com", true},
                    Pair{"ip:192.0.2.0/24", "ip:192.0.2.0/24", true}, Pair{"ip:192.0.2.128/25", "ip:192.0.2.0/24", true},
                    Pair{"ip:192.0.2.0/24", "ip:192.0.2.0/25", false}, Pair{"ip:192.0.3.0/24", "ip:192.0.2.0/24", false},
                    Pair{"ip:192.0.2.0/24", "ip:0.0.0.0/0", true}, Pair{"ip:2001:db8::/32", "ip:0.0.0.0/0", false},
                    Pair{"dirname:CN=a,O=Example", "dirname:O=Example", true}, Pair{"dirname:O=Example", "dirname:CN=a,O=Example", false},
                    Pair{"dirname:O=example", "dirname:O=Example", true}, Pair{"dirname:O=Other", "dirname:O=Example", false}));

NameConstraints constraints(const std::vector<const char*>& permitted, const std::vector<const char*>& excluded) {
    NameConstraints made;
    for (const auto* text : permitted) made.permitted.push_back(subtree(text));
    for (const auto* text : excluded) made.excluded.push_back(subtree(text));
    return made;
}

TEST(NameSubtree, WishesNarrowBounds) {
    const auto bounds = constraints({"dns:example.com", "email:example.com"}, {"dns:secret.example.com"});
    const auto left = narrowed(bounds, constraints({"dns:a.example.com", "ip:192.0.2.0/24"}, {"ip:192.0.2.1"}));
    ASSERT_TRUE(left) << left.error().detail;
    const auto wanted = constraints({"dns:a.example.com", "ip:192.0.2.0/24", "email:example.com"}, {"dns:secret.example.com", "ip:192.0.2.1"});
    EXPECT_EQ(left->permitted, wanted.permitted);
    EXPECT_EQ(left->excluded, wanted.excluded);
    // Each of them is looked at (bug class 19).
    for (std::size_t at = 0; at < 3; ++at) {
        auto wish = constraints({"dns:a.example.com", "dns:b.example.com"}, {});
        wish.permitted.insert(wish.permitted.begin() + static_cast<std::ptrdiff_t>(at), subtree("dns:example.org"));
        const auto refused = narrowed(bounds, wish);
        ASSERT_FALSE(refused) << at;
        EXPECT_EQ(refused.error().code, Code::policy);
    }
    // Nothing wished for leaves the bounds, and without bounds every wish is narrower.
    EXPECT_EQ(narrowed(bounds, {}).value().permitted, bounds.permitted);
    EXPECT_EQ(narrowed({}, bounds).value().excluded, bounds.excluded);
    NameConstraints odd;
    odd.excluded.push_back({GeneralName::Kind::registered_id, ByteVec{0x2A}});
    EXPECT_EQ(narrowed(bounds, odd).error().code, Code::unsupported);
}

}  // namespace
}  // namespace estuary::x509
