/* LINK rg_modbus rg_modbus_model */
/* A device by the fuzzer: its points, gates and decimals, what its registers hold, which requests of its polls are
 * answered, and which are divided. The plan keeps what it promises, and every sample is the model's. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "modbus_case.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct bytes {
    const uint8_t *data;
    size_t size;
};

/* A choice is one byte, or two where there are more than 256 of them; behind the end the first one. */
static uint64_t below(void *arg, uint64_t bound)
{
    struct bytes *b = arg;
    uint64_t choice = 0;

    for (uint64_t reach = 1; reach < bound && b->size > 0; reach *= 256) {
        choice = choice << 8 | *b->data++;
        b->size--;
    }
    return choice % bound;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes bytes = {data, size};
    const struct case_choices choices = {below, &bytes};
    struct case_tally tally = {0};
    char where[200];
    const char *wrong = case_run(&choices, &tally, where, sizeof where);

    if (wrong) {
        (void)fprintf(stderr, "%s (%s)\n", wrong, where);
        abort();
    }
    return 0;
}
