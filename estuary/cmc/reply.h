#pragma once
// An answer while it is being made: what became of each body part, and what goes along.
#include "estuary/cmc/controls.h"

namespace estuary::cmc {

/// An error in CMC's words.
struct Failure {
    FailInfo info{};
    std::string text;                    ///< for people at the other end; empty: nothing to say
    Code code = Code::internal;          ///< for the transport
    std::vector<BodyPartId> parts = {};  ///< which parts are at fault; empty: the message as a whole
    std::string cause = {};              ///< for the log

    /// By the general mapping; faults of our own say nothing.
    static Failure of(const Error& error);
    static Failure of(const Error& error, FailInfo info);
};

class Reply {
public:
    void succeed(BodyPartId part) { succeeded_.push_back(part); }
    void confirm(BodyPartId part) { to_confirm_.push_back(part); }
    void fail(const Failure& failure) { fail(failure.parts.empty() ? std::vector{this_message} : failure.parts, failure); }
    void fail(BodyPartId part, const Failure& failure) { fail(std::vector{part}, failure); }
    void fail(std::vector<BodyPartId> parts, const Failure& failure);
    void not_supported(BodyPartId part, std::string text);
    void pend(std::vector<BodyPartId> parts, PendInfo info);

    /// A control of the answer.
    template <class Value>
    void add(const Value& value) {
        extra_.push_back(make_control(0, value));
    }
    /// The sender is to go on: this is no refusal.
    void challenge(const EncryptedPop& challenge) {
        waits_ = true;
        add(challenge);
    }
    void add_certificate(Bytes der) { certificates_.push_back(to_vec(der)); }
    /// One that several answers may have in common.
    void add_certificate_once(Bytes der);
    void add_crl(Bytes der) { crls_.push_back(to_vec(der)); }
    void add_content(ByteVec content_info) { contents_.push_back(std::move(content_info)); }
    /// There is more to say than certificates, even if all went well.
    void need_full() { full_ = true; }
    /// The same message may be answered otherwise later: it is not to be remembered.
    bool is_final() const noexcept { return final_; }
    void not_final() { final_ = false; }

    bool is_simple() const noexcept;
    std::optional<Code> rejected() const noexcept;
    /// Issued ones first.
    std::vector<Bytes> certificates() const;
    const std::vector<ByteVec>& crls() const noexcept { return crls_; }
    /// The PKIResponse; contents get body part numbers, which `batch` (batchResponses) tells if there are any.
    PkiResponse response() const;

private:
    std::vector<BodyPartId> succeeded_, to_confirm_;
    std::vector<StatusInfoV2> statuses_;  // all but success
    std::vector<TaggedAttribute> extra_;
    std::vector<ByteVec> certificates_, common_certificates_, crls_, contents_;
    std::optional<Code> first_error_;
    bool full_ = false, final_ = true, waits_ = false;
};

}  // namespace estuary::cmc
