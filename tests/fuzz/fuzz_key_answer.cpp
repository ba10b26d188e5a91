// Answers of /serverkeygen, as a client reads and opens them. Input: the media type, a line break, and the body. What is read can be
// written, and then reads the same; whatever is wrong inside of the encryption is told in one way (bug class 17).
#include <cstdlib>
#include <set>

#include "estuary/est/client_keygen.h"

namespace {

using namespace estuary;

void require(bool holds) {
    if (!holds) std::abort();
}

/// The shared key of the seeds.
est::KeyOpener shared_key() {
    est::KeyOpener opener;
    opener.shared = cms::SharedKey{to_vec(as_bytes("fuzz")), crypto::Secret{ByteVec(32, 0x42)}};
    return opener;
}

void check_written(const est::KeyAnswer& answer) {
    const est::KeyPart part{answer.key.encrypted, answer.key.der.clone()};
    const auto response = est::write_key_answer(part, answer.certificates.front());
    const auto again = est::read_key_answer(response.headers.find("Content-Type").value_or(""), response.shared.octets);
    require(again && again->key.encrypted == answer.key.encrypted && same(again->key.der.reveal(), answer.key.der.reveal()));
    require(again->certificates.size() == 1 && again->certificates.front() == answer.certificates.front());
}

void check_opened(const est::KeyAnswer& answer, const est::KeyOpener& opener) {
    static const est::CaBag nobody;
    static std::set<std::string> told;
    const auto opened = est::open_key_answer(answer, opener, nobody, Time{Seconds{1'795'233'600}});
    if (opened) {
        require(answer.key.encrypted == opener.expects_encryption());
        require(same(opened->key.public_key().spki(), opened->certificate.spki()));
    } else if (answer.key.encrypted && opened.error().code == Code::bad_proof) {
        told.insert(opened.error().detail);
        require(told.size() == 1);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const est::KeyOpener none, shared = shared_key();
    const auto text = as_text(Bytes{data, size});
    const auto end = text.find('\n');
    if (end == std::string_view::npos) return 0;
    const auto answer = est::read_key_answer(text.substr(0, end), text.substr(end + 1));
    if (!answer) {
        require(!answer.error().detail.empty());
        return 0;
    }
    require(!answer->certificates.empty());
    check_written(*answer);
    check_opened(*answer, none);
    check_opened(*answer, shared);
    return 0;
}
