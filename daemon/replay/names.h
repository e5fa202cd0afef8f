/* The names of a history's devices and points, numbered in the order in which they first appear.
 *
 * Private to this folder. What was recorded may know other names than the configuration that it is held against, so the reader of the
 * history numbers what it meets and each player finds out what these numbers are in its own site. One thread at a time; the texts stay
 * where they are until names_destroy. */
#ifndef RG_REPLAY_NAMES_H
#define RG_REPLAY_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

#define NAMES_NONE UINT32_MAX
/* More than any configuration can have (CONFIG_ENTRIES, CONFIG_POINTS), twice: a foreign or damaged file must not take all memory. */
#define NAMES_DEVICES_MAX 200000u
#define NAMES_POINTS_MAX 1000000u

struct names_device {
    const char *name;
    uint32_t length;
    uint32_t next;  /* the device whose frame came after its last one, or NAMES_NONE: a guess */
    uint32_t first; /* the point its last frame began with, or NAMES_NONE: a guess */
};

struct names_point {
    const char *name;
    uint32_t length;
    uint32_t device;
    uint32_t next;  /* the point that followed it in the last frame, or NAMES_NONE: a guess */
    bool single;    /* its values were written as floats */
    uint64_t frame; /* the last frame that it was in: once only */
};

/* Whether a point's values were written as floats: only who knows the site can tell. */
typedef bool (*names_single_cb)(void *arg, const char *device, const char *point);

struct names {
    struct names_device *devices;
    struct names_point *points;
    uint32_t device_count, point_count, device_room, point_room;
    uint64_t frames;                      /* scanned so far: each point stands in a frame once */
    uint32_t *device_slots, *point_slots; /* open addressing: an index + 1, or 0 */
    uint32_t device_slot_count, point_slot_count;
    struct arena texts;
    names_single_cb single;
    void *arg;
};

void names_init(struct names *n, names_single_cb single, void *arg); /* single may be NULL: none */
void names_destroy(struct names *n);                                 /* takes a zeroed one */
/* The number of a name, a new one when it is new. RG_ENOMEM; RG_EFULL: too many. */
RG_NODISCARD enum rg_err names_device(struct names *n, const char *name, size_t length, uint32_t *out);
RG_NODISCARD enum rg_err names_point(struct names *n, uint32_t device, const char *name, size_t length,
                                     uint32_t *out);
/* NAMES_NONE: it is not there. */
uint32_t names_find_device(const struct names *n, const char *name, size_t length);
uint32_t names_find_point(const struct names *n, uint32_t device, const char *name, size_t length);

#endif
