/* The recorded past, read and taken apart into steps: what a player has to do, block by block, so that one thread can read ahead while
 * others evaluate. Private to this folder. */
#ifndef RG_REPLAY_FEED_H
#define RG_REPLAY_FEED_H

#include "base/json_read.h"
#include "model/moment.h"
#include "replay/scan.h"
#include "replay/source.h"

enum step_kind {
    STEP_DEVICE,  /* a name of a device that comes for the first time: device, name */
    STEP_POINT,   /* of a point: device, first (its number), name */
    STEP_FRAME,   /* device, heard, and count samples from `first` on; their points are numbers of names */
    STEP_ALARM,   /* a transition that was recorded: note */
    STEP_EVENT,   /* start, stop, config, lost, clock, command: kind of event, note */
    STEP_DAMAGED, /* a record that cannot be read */
    STEP_CUT,     /* the end that was asked for; the past goes on */
};

struct step {
    enum step_kind kind;
    struct moment at;
    int64_t turn;
    uint32_t device, first, count;
    int64_t every_ms; /* of a frame: see history_entry */
    bool heard, unsynced;
    const char *name;        /* lives as long as the feed */
    const struct json *note; /* lives as long as the block is not filled anew */
};

#define FEED_STEPS 4096
#define FEED_SAMPLES (2 * SCAN_SAMPLES_MAX)
#define FEED_NOTE_MAX (1u << 20) /* bytes of the text of an alarm or event */

struct block {
    struct step *steps; /* [FEED_STEPS] */
    size_t count;
    struct sample *samples; /* [FEED_SAMPLES] */
    size_t sample_count;
    struct json **notes; /* [FEED_STEPS] */
    size_t note_count;
};

RG_NODISCARD enum rg_err block_create(struct block *b);
void block_destroy(struct block *b); /* takes a zeroed one */

struct feed {
    struct replay_source source;
    struct names names;
    int64_t until_ms; /* wall; 0: to the end */
    int64_t
        end_turn; /* of the last frame that is not later: frames up to it are read, later ones of a clock that stepped too */
    uint32_t last;                /* the device of the frame before */
    uint32_t devices, points;     /* names that were told of */
    struct history_entry pending; /* read, but did not fit any more */
    bool has_pending, cut;
    uint64_t entries; /* so far */
};

/* single: see names.h. */
void feed_init(struct feed *f, const struct replay_source *source, names_single_cb single, void *arg);
/* To read no frame that comes after those up to until_ms (0: to the end), of which the last one has this turn. */
void feed_end_at(struct feed *f, int64_t until_ms, int64_t end_turn);
void feed_destroy(struct feed *f);
/* Fills the block anew. RG_ENOTFOUND: the past is at its end and the block is empty; else what the source says, or RG_ENOMEM, RG_EFULL. */
RG_NODISCARD enum rg_err feed_fill(struct feed *f, struct block *b);

#endif
