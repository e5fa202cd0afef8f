/* A file system under SQLite that fails when told to: a shim over the default one. For one thread: tests and simulations on
 * the virtual loop. No sync is carried out, which would only cost time: what a power cut loses is played (fault_cut). */
#ifndef RG_TESTS_FAULT_VFS_H
#define RG_TESTS_FAULT_VFS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault {
    int write_error, sync_error; /* SQLite's codes; 0: none */
    int read_error;              /* of reads of the database's pages */
    int64_t capacity;            /* bytes that all files may have together; 0: no bound */
    const char *beside;          /* one more file that takes of the capacity, or NULL */
    int64_t
        countdown; /* so many writes, truncations and syncs, then each gives write_error; -1: not counted */
    bool once;     /* only the one at the end of the count */
    bool shortly;  /* what fails has written the first half */
    void (*on_sync)(void *arg); /* before each, or NULL: a slow disk spends virtual time here */
    void *arg;
    int64_t cut_in; /* so many writes, truncations and syncs, then the power is off; -1: never */
    bool off;       /* nothing reaches the disk any more */
    /* counted */
    uint64_t operations; /* writes, truncations and syncs */
    uint64_t syncs;
    uint64_t failures;
    int64_t sizes[16]; /* of the files that are open */
    bool open[16];
};

/* The one fault of the test program: a VFS has no other way to its context that SQLite's own calls keep. */
struct fault *fault_now(void);
int64_t fault_total(void); /* bytes that count towards the capacity */

/* Makes it the VFS of every connection opened from now on. */
void fault_install(void);
/* Nothing fails any more; the counters begin anew. */
void fault_clear(void);

/* The power was cut (`off`), and every connection is closed: of what was not synced each write is lost, kept, or, when it
 * is the last of its file, torn at a sector; which of it is drawn from the seed. Then the power is on again. */
enum fault_loss { FAULT_LOSE_ALL, FAULT_KEEP_ALL, FAULT_LOSE_SOME };
void fault_cut(enum fault_loss loss, uint64_t seed);
/* From now on remembers what is not synced: before the first connection. */
void fault_watch(bool on);

#endif
