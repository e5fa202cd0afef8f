/* LINK rg_replay */
/* Any text as a telemetry record: an error, or a frame whose samples are what the names say. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "replay/scan.h"

#define ROOM 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sample samples[ROOM];
    struct scanned out;
    struct names n;
    uint32_t last = NAMES_NONE;

    names_init(&n, NULL, NULL);
    /* Twice: the second time every name is guessed. */
    for (int pass = 0; pass < 2; pass++) {
        if (scan_frame(&n, last, (const char *)data, size, samples, ROOM, &out) != RG_OK)
            break;
        check(out.device < n.device_count && out.count <= ROOM && out.ts >= 0);
        for (size_t i = 0; i < out.count; i++) {
            check(samples[i].point < n.point_count && n.points[samples[i].point].device == out.device);
            check(samples[i].quality < QUALITY_COUNT);
            check(samples[i].quality == QUALITY_GOOD || samples[i].value == 0);
            check(!isinf(samples[i].value));
        }
        last = out.device;
    }
    names_destroy(&n);
    return 0;
}
