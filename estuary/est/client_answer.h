#pragma once
// What a server's answer means to the client; used inside this room only.
#include "estuary/est/client.h"

namespace estuary::est {

/// What an answer is before its body is looked at.
struct Reply {
    std::optional<Wait> wait;
    std::optional<Redirect> redirect;
    bool nothing = false;   ///< 204
};
/// That it is what the server said which cannot be used.
inline Error in_answer(Error error) { return in_context("the server's answer", std::move(error)); }

/// 200, 202, 204 and redirects; everything else is an error whose detail tells what the server said. `post`: the request was a
/// POST, which a 303 does not repeat.
Result<Reply> read_reply(const http::Response& response, bool post, Time now);

/// The media type is one of those, or none is given.
Result<void> check_media_type(const http::Response& response, std::initializer_list<std::string_view> accepted);

/// The one certificate of that key; servers that add their chain are put up with. bad_key: none; malformed: several.
Result<x509::Certificate> pick_issued(const std::vector<x509::Certificate>& certificates, Bytes spki);

/// The text of an error body for a person: one line, printable, at most 300 characters; empty if it is no text.
std::string error_text(const http::Response& response);

}  // namespace estuary::est
