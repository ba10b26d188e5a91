#pragma once
// What several commands read from the command line, and write out, in the same way.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <CLI/CLI.hpp>

#include "estuary/base/clock.h"
#include "estuary/crypto/key.h"
#include "estuary/x509/general_name.h"
#include "estuary/x509/name.h"
#include "exit_status.h"

namespace estuary::client {

/// A distinguished name; usage failure that begins with `option` ("--subject").
Outcome<x509::Name> name_option(std::string_view option, const std::string& text);
/// A serial number in hexadecimal as INTEGER content octets.
Outcome<ByteVec> serial_number_option(std::string_view option, const std::string& text);
/// The names of --san.
Outcome<std::vector<x509::GeneralName>> subject_alt_names(const std::vector<std::string>& texts);

/// The person's own request (--csr) and the key that made it (--key).
struct GivenRequest {
    crypto::PrivateKey key;
    ByteVec der;   ///< PKCS #10
};
Outcome<GivenRequest> read_given_request(const std::string& request_file, const std::string& key_file);

/// Into the file of --out, or without it to standard output.
Outcome<void> write_out(const std::string& out, const std::string& text);

/// Has the command run with its options; a failure is reported, and its exit status goes into `status`.
template <class Options, class Run>
void run_with(CLI::App& command, const std::shared_ptr<Options>& options, Run run, const Clock& clock, int& status) {
    command.callback([options, run, &clock, &status] {
        if (auto done = run(*options, clock); !done) status = report(done.error());
    });
}

}  // namespace estuary::client
