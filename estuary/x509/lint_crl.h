#pragma once
// The lint of certificate revocation lists.
#include "estuary/x509/crl.h"

namespace estuary::x509 {

/// Checks the exact to-be-signed octets of a CRL against what RFC 5280 section 5 asks of issuers: version and fields, kinds of
/// time, extensions and their criticality, entries (serial numbers positive and listed once, reasons), and against its issuer
/// (name octet for octet, subjectKeyIdentifier, cRLSign, notAfter). Empty: nothing wrong. One pass over the entries; 8 octets
/// of memory for each of them if their serial numbers do not ascend.
std::vector<LintFinding> lint_crl(Bytes tbs, const Certificate& issuer);
/// The names of all rules, in the order in which they are checked.
std::vector<std::string_view> lint_crl_rule_names();

}  // namespace estuary::x509
