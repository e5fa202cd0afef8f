/* Records on their way to the disk: copied one behind the other into memory that was taken at the start, no
 * allocation for a record. Pure.
 *
 * A lane has two regions: one gathers on the loop while the other, sealed, flies: is read by the worker. Alarms,
 * events and reports have a lane of their own beside telemetry's, so that telemetry can never take their memory
 * nor stand before them. */
#ifndef RG_STORE_BATCH_H
#define RG_STORE_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/stream.h"
#include "store/store.h"

#define ENTRY_HEAD 32 /* room before the body for {"seq":<19 digits>, */
#define ENTRY_TAIL 80 /* and behind it for ,"hash":"<64>"} */

struct entry {
    uint32_t size;   /* of the whole entry, a multiple of 8 */
    uint32_t length; /* of the body; 0: no record, only an alarm's state */
    int64_t ts, mono, turn;
    uint32_t device;   /* id in the store */
    uint32_t every_ms; /* telemetry */
    bool held;         /* telemetry: its turn was taken before its neighbours' */
    uint8_t stream, level, was;
    bool unsynced;
    bool has_alarm;
    bool test;
    uint8_t
        name_length; /* of the name behind the text: an event's kind, a device not in the store yet; 0: none */
    char text[];     /* head room, body, tail room, name, NUL, [struct alarm, aligned] */
};

struct region {
    char *memory;
    size_t capacity;
    size_t used;
    size_t done;   /* bytes committed already, in slices */
    size_t told;   /* bytes up to which alarms have been told as not stored */
    size_t count;  /* entries between done and used */
    size_t alarms; /* of the stream `alarm` among all that it holds */
};

RG_NODISCARD enum rg_err region_create(struct region *r, size_t capacity);
void region_destroy(struct region *r); /* takes a zeroed one */
void region_clear(struct region *r);
/* Copies the record behind the last one. turn: its place among all records. device: its id in the store; name: what is kept in the name's place, or
 * NULL. RG_EFULL: no room; RG_ERANGE: it could never have. */
RG_NODISCARD enum rg_err region_add(struct region *r, const struct store_record *record, int64_t turn,
                                    uint32_t device, const char *name);

/* The entry at offset; the next one is at offset + entry->size. */
struct entry *region_at(const struct region *r, size_t offset);
const char *entry_body(const struct entry *e);
const char *entry_name(const struct entry *e);          /* NUL-terminated */
const struct alarm *entry_alarm(const struct entry *e); /* or NULL */
/* Writes {"seq":N, before the body. Returns where the text begins; *length: up to the end of the body. */
char *entry_seal(struct entry *e, int64_t seq, size_t *length);
/* Ends the text that entry_seal returned, with the hash when there is one (else NULL); returns its whole length. */
size_t entry_close(char *text, size_t length, const char *hash);

struct lane {
    struct region regions[2];
    unsigned gathering;         /* which of them */
    uint64_t appended, durable; /* records ever taken, ever committed */
};

RG_NODISCARD enum rg_err lane_create(struct lane *l, size_t capacity);
void lane_destroy(struct lane *l);
struct region *lane_gather(struct lane *l);
struct region *lane_fly(struct lane *l);
bool lane_empty(const struct lane *l); /* nothing gathers, nothing flies */
size_t lane_bytes(const struct lane *l);
/* When nothing flies any more, what has gathered takes off. */
void lane_swap(struct lane *l);
/* A slice of what flies, of about so many bytes and at least one entry: its end, and how many entries are in it. */
size_t lane_slice(const struct lane *l, size_t bytes, size_t *count);
/* The slice up to `end` is durable. When that was all, and nothing has gathered meanwhile, the region that flew gathers next. */
void lane_done(struct lane *l, size_t end, size_t count);

#endif
