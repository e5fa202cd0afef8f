/* Everything that was received, in an SQLite file of the platform's own. It may be read by others while it is written.
 *
 * Tables: gateway (one row each, with its newest documents), record (the raw text by gateway, stream and number: the bytes that came),
 * unstored (alarms that came before their records), stream and span (what is accounted for, the last receipt), breach. Views, by the texts:
 * v_alarm (each alarm with its newest state), v_alarm_event, v_reading, v_event, v_hole. */
#ifndef PLATFORM_ARCHIVE_H
#define PLATFORM_ARCHIVE_H

#include "gateway.h"

struct archive;

/* Opens or makes it. NULL: why is told on standard error. */
struct archive *archive_open(const char *path);
void archive_close(struct archive *a); /* what was not committed is gone; takes NULL */

/* Each gateway that is in it, as it was left: made by `make`, then filled. False: it cannot be read. */
bool archive_load(struct archive *a, struct gateway *(*make)(void *arg, const char *ent, const char *id),
                  void *arg);

/* Each belongs to the next archive_commit. now_ms: wall clock. False: it could not be written; nothing is to be relied upon any more. */
bool archive_record(struct archive *a, const struct gateway *g, enum stream_kind kind, int64_t seq,
                    const char *text, size_t length, int64_t now_ms);
bool archive_unstored(struct archive *a, const struct gateway *g, const char *text, size_t length,
                      int64_t now_ms);
bool archive_document(struct archive *a, const struct gateway *g, const char *topic, const char *text,
                      size_t length, int64_t now_ms);
bool archive_stream(struct archive *a, const struct gateway *g, enum stream_kind kind, int64_t receipt);
bool archive_breach(struct archive *a, const char *text, int64_t now_ms);
/* Durable, synchronised to the disk. */
bool archive_commit(struct archive *a);

/* malloc'ed text of a record, or NULL. */
char *archive_recall(struct archive *a, const struct gateway *g, enum stream_kind kind, int64_t seq,
                     size_t *length);
/* The last receipt that was sent. */
int64_t archive_receipt(struct archive *a, const struct gateway *g, enum stream_kind kind);

#endif
