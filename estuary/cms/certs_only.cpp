#include "estuary/cms/certs_only.h"

#include "estuary/cms/signed_data.h"

namespace estuary::cms {

ByteVec encode_certs_only(const std::vector<Bytes>& certificates) {
    SignedDataBuilder bag;
    for (const auto certificate : certificates) bag.certificate(certificate);
    return bag.build().value();  // only signers can fail
}

Result<std::vector<x509::Certificate>> parse_certs_only(Bytes der, std::size_t count_max) {
    Limits limits;
    limits.certificates_max = count_max;
    ESTUARY_TRY(const auto message, SignedData::parse(der, limits));
    return message.certificates();
}

}  // namespace estuary::cms
