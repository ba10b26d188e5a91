// EnvelopedData and AuthEnvelopedData: every recipient is opened with keys that the seeds were made for, so that the fuzzer
// gets past the unwrapping; a failure always is one of those that the interface names.
#include <cstdlib>

#include "estuary/base/encoding.h"
#include "estuary/base/file.h"
#include "estuary/cms/ber.h"
#include "estuary/cms/enveloped_data.h"

using namespace estuary;

namespace {

void check(bool holds) {
    if (!holds) std::abort();
}

void check_answer(const Result<crypto::Secret>& opened) {
    if (opened) return;
    switch (opened.error().code) {
        case Code::bad_proof: check(opened.error().detail == "EnvelopedData: it does not decrypt"); return;
        case Code::malformed:
        case Code::unsupported:
        case Code::too_large:
        case Code::not_found: return;
        default: std::abort();
    }
}

const std::vector<crypto::PrivateKey>& keys() {
    static const auto made = [] {
        std::vector<crypto::PrivateKey> list;
        for (const auto* name : {"rsa", "p256", "x25519"}) {
            const auto path = std::string{ESTUARY_SOURCE_DIR} + "/tests/data/cms/" + name + ".pem";
            list.push_back(crypto::PrivateKey::from_bytes(file::read(path).value()).value());
        }
        return list;
    }();
    return made;
}

const cms::Identifier* identifier_of(const cms::Recipient& recipient) {
    if (const auto* transport = std::get_if<cms::KeyTransport>(&recipient)) return &transport->recipient;
    if (const auto* agreement = std::get_if<cms::KeyAgreement>(&recipient)) return &agreement->recipient;
    if (const auto* kem = std::get_if<cms::KeyEncapsulation>(&recipient)) return &kem->recipient;
    return nullptr;
}

void open_all(const cms::EnvelopedData& data) {
    constexpr std::size_t recipients_max = 3;  // each costs three private operations
    std::size_t tried = 0;
    for (const auto& recipient : data.recipients()) {
        const auto* identifier = identifier_of(recipient);
        if (identifier == nullptr || !identifier->is_by_key() || ++tried > recipients_max) continue;
        for (const auto& key : keys())
            check_answer(data.open(cms::KeyHolder{key, {}, identifier->key_identifier}, {.triple_des = true}));
    }
    const cms::SharedKey shared{to_vec(as_bytes("psk")), crypto::Secret{ByteVec(16, 0x42)}};
    check_answer(data.open(shared));
    check_answer(data.open_with_password(crypto::Secret{std::string_view{"password"}}, {.iterations_max = 100}));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto der = cms::to_der(Bytes{data, size});
    if (!der) return 0;
    const auto parsed = cms::EnvelopedData::parse(*der);
    if (parsed) open_all(*parsed);
    return 0;
}
