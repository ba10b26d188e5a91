#pragma once
// error (RFC 9810 5.3.21), and the lists of genm and genp (5.3.19, 5.3.20).
#include "estuary/cmp/info.h"
#include "estuary/cmp/status.h"

namespace estuary::cmp {

/// ErrorMsgContent ::= SEQUENCE { pKIStatusInfo, errorCode INTEGER OPTIONAL, errorDetails PKIFreeText OPTIONAL }
struct ErrorMsgContent {
    PkiStatusInfo status_info;
    std::optional<std::int64_t> error_code;
    PkiFreeText error_details;

    /// Status, code and details in one line, safe to show.
    std::string to_text() const;
    static Result<ErrorMsgContent> read(der::Reader& reader, const Limits& limits);
    void write(der::Writer& writer) const;
    bool operator==(const ErrorMsgContent&) const = default;
};

/// GenMsgContent and GenRepContent ::= SEQUENCE OF InfoTypeAndValue
struct GenContent {
    InfoTypeAndValues infos;

    static Result<GenContent> read(der::Reader& reader, const Limits& limits);
    void write(der::Writer& writer) const;
    bool operator==(const GenContent&) const = default;
};

}  // namespace estuary::cmp
