/* Devices, their registers and what happens to them, made up from choices: of a random generator, or of a fuzzer. The
 * plan is checked by what plan.h promises, each request's samples against modbus_model.h. */
#ifndef RG_TESTS_MODBUS_CASE_H
#define RG_TESTS_MODBUS_CASE_H

#include <stddef.h>
#include <stdint.h>

struct case_choices {
    /* One of bound (>= 1) choices, from 0. */
    uint64_t (*below)(void *arg, uint64_t bound);
    void *arg;
};

struct case_tally {
    uint64_t samples, good, divisions;
};

/* One device and some polls of it. Returns NULL, or what was wrong: static text, then `where` says more. */
const char *case_run(const struct case_choices *choices, struct case_tally *tally, char *where, size_t size);

#endif
