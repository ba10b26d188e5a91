// Makes a key and a certification request with the installed library, and reads it back.
#include <cstdio>

#include <estuary/x509/request.h>

int main() {
    const auto key = estuary::crypto::PrivateKey::generate("p256");
    const auto subject = estuary::x509::Name::from_text("CN=another program");
    if (!key || !subject) return 1;
    estuary::x509::RequestTemplate wanted;
    wanted.subject = *subject;
    const auto der = estuary::x509::make_request(wanted, *key);
    if (!der) return 1;
    const auto request = estuary::x509::SignedRequest::parse(*der);
    if (!request || !(request->subject() == *subject)) return 1;
    std::puts(request->subject().to_text().c_str());
    return 0;
}
