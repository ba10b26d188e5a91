#pragma once
// Packages and receipts of every kind, made by the CMS room.
#include "estuary/cms/enveloped_data.h"
#include "estuary/cms/signed_data.h"
#include "estuary/est/packages.h"
#include "world.h"

namespace estuary::test {

namespace content {
inline constexpr der::Oid firmware{"1.2.840.113549.1.9.16.1.16"};
inline constexpr der::Oid firmware_receipt{"1.2.840.113549.1.9.16.1.17"};
inline constexpr der::Oid firmware_error{"1.2.840.113549.1.9.16.1.18"};
inline constexpr der::Oid symmetric_keys{"1.2.840.113549.1.9.16.1.25"};
inline constexpr der::Oid asymmetric_key{"2.16.840.1.101.2.1.2.78.5"};
inline constexpr der::Oid key_receipt{"2.16.840.1.101.2.1.2.78.3"};
inline constexpr der::Oid key_error{"2.16.840.1.101.2.1.2.78.6"};
inline constexpr der::Oid tamp_query{"2.16.840.1.101.2.1.2.77.1"};
inline constexpr der::Oid tamp_response{"2.16.840.1.101.2.1.2.77.2"};
inline constexpr der::Oid tamp_update{"2.16.840.1.101.2.1.2.77.3"};
inline constexpr der::Oid tamp_error{"2.16.840.1.101.2.1.2.77.9"};
}  // namespace content

/// SEQUENCE { UTF8String }: stands for what these rooms do not look into.
inline ByteVec some_content(std::string_view text = "content") {
    der::Writer writer;
    writer.sequence([&] { writer.utf8_string(text); });
    return std::move(writer).take();
}
inline ByteVec bare(const der::Oid& type, Bytes inside) { return cms::make_content_info(type, inside); }

/// Signed by a key and its certificate, which goes along unless `without` is set.
inline ByteVec signed_by(const Identity& signer, const der::Oid& type, Bytes inside, bool without = false) {
    cms::SignedDataBuilder builder{type, inside};
    if (!without) builder.certificate(signer.certificate.der());
    builder.signer({signer.key, cms::Identifier::by_issuer(signer.certificate)});
    return builder.build().value();
}
inline ByteVec inner(Bytes content_info) { return to_vec(cms::inner_content(content_info).value()); }

/// For whoever knows the password.
inline ByteVec enveloped(const der::Oid& type, Bytes inside, std::string_view cipher = "AES-256-CBC") {
    return cms::EnvelopedDataBuilder{type, inside}.cipher(cipher).password(crypto::Secret{std::string_view{"secret"}}, 1000).build().value();
}

/// As `estuaryd package add` stores it: its number.
inline std::int64_t add_package(World& world, std::string_view type, ByteVec der, std::string_view to, std::optional<std::string> label,
                                bool receipt) {
    const auto checked = est::check_package(*est::pal_type(type), der).value();
    const auto recipient = authority::PackageRecipient::parse(to).value();
    store::PackageRecord record;
    record.type = type;
    record.label = std::move(label);
    record.recipient = recipient.text;
    record.recipient_key = recipient.key;
    record.media_type = checked.media_type;
    record.encrypted = checked.encrypted;
    record.receipt_wanted = receipt;
    record.digest = crypto::sha256(der);
    record.size = static_cast<std::int64_t>(der.size());
    record.created_at = record.available_from = world.clock.now();
    record.content = std::move(der);
    store::UnitOfWork work;
    work.writes.emplace_back(store::InsertPackage{std::move(record)});
    EXPECT_TRUE(world.store->commit(std::move(work)));
    return world.store->package_reads()->packages()->back().id;
}

}  // namespace estuary::test
