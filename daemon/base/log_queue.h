/* Lines of the log on their way to whoever takes them, when that may take long: a pipe that nobody reads, a journal that stands still. A
 * thread of its own gives them to the taker in their order; nobody else waits. The memory for them is bounded and there from the
 * start (its pages count when they are used): what finds no room is counted, and told where it is missing. One a process; a part of the log
 * (log.h), which alone includes this. */
#ifndef RG_BASE_LOG_QUEUE_H
#define RG_BASE_LOG_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

#define LOG_QUEUE_BYTES (512 * 1024) /* some 2,000 lines; twice: what is being taken, and what came since */

/* text: without prefix and end; line: whole, with both, length bytes. */
struct log_line {
    enum log_level level;
    const struct log_about *about;
    const char *line, *text;
    size_t length;
};

struct log_taker {
    void (*take)(const struct log_line *line); /* on the queue's thread; may block */
    void (*lost)(uint64_t lines);              /* the same; so many are missing here */
};

/* taker: copied. RG_ESTATE: there is one already. RG_ENOMEM: no thread can be had. */
RG_NODISCARD enum rg_err log_queue_start(const struct log_taker *taker);
/* True: the queue has it, or has counted it as lost. False: there is none (any more), the line is the caller's. Any thread; never waits for the taker. */
bool log_queue_put(const struct log_line *line);
/* Once nobody else logs any more. Waits until all is taken, within_ms at most. True: it is, and there is no queue any more. False: the taker stands
 * still; the queue ends by itself when it goes on, and may be stopped once more. */
bool log_queue_stop(int64_t within_ms);
/* Lines that found no room, since the start of the process. */
uint64_t log_queue_lost(void);

#endif
