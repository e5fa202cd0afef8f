/* The text of a telemetry record -> its frame. Private to this folder.
 *
 * Reads the very form that record/record.h writes, whether as body or as the store keeps it ({"seq":N,<body>}), and nothing else:
 *     "ts":N,"device":"d","values":{"p":1.5,...}[,"bad":{"p":"comm",...}][,"heard":true][,"clock":"unsynced"]
 * Fast, for a month of frames is tens of millions of them: which device comes next, and which point after which, is guessed from the last
 * time, so that a name costs one comparison. Values are exact: the double (for a point written as a float, the float) nearest to the
 * text, as strtod (strtof) gives it. null (a reading that was not finite) is NaN. */
#ifndef RG_REPLAY_SCAN_H
#define RG_REPLAY_SCAN_H

#include "model/sample.h"
#include "replay/names.h"

#define SCAN_SAMPLES_MAX 65536u /* of one frame */

struct scanned {
    int64_t ts;      /* wall ms */
    uint32_t device; /* of names, as are the points of the samples */
    bool heard;      /* a reading says that the device answered, or the record does */
    bool unsynced;
    size_t count;
};

/* last: the device of the frame before, or NAMES_NONE. Fills samples (room for so many), good ones first. RG_EINVAL: it is not of that
 * form, or has a point twice; RG_EFULL: more samples, devices or points than there is room for; RG_ENOMEM. */
RG_NODISCARD enum rg_err scan_frame(struct names *n, uint32_t last, const char *text, size_t length,
                                    struct sample *samples, size_t room, struct scanned *out);

/* A JSON number, or null, at the start of text: the double nearest to it (single: the float). Returns where it ends; NULL: there is none,
 * or it is beyond all doubles, or longer than 64 bytes. */
const char *scan_number(const char *text, const char *end, bool single, double *out);

#endif
