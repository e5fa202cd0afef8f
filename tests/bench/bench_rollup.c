/* LINK rg_record rg_store rg_loop_virtual rg_test_support PkgConfig::SQLITE */
/* What thinning and minute roll-ups cost: a reading counted, a frame that is not recorded beside one that is encoded, and a minute's batch on the
 * disk, by the number of points. Arguments: minutes (60 when there is none). */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/text.h"
#include "record/record.h"
#include "record/rollup.h"
#include "record/thin.h"
#include "store/store.h"
#include "support_site.h"
#include "support_tmp.h"
#include "virtual_loop.h"

#define FRAME 20 /* points of a device */
#define POLLS 60 /* a minute */

static double seconds(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct bench {
    struct store *store;
    struct loop *loop;
    double commit_s;
    size_t rows;
    bool flushed;
};

static void flushed_cb(void *arg, bool ok)
{
    ((struct bench *)arg)->flushed = ok;
}

static void piece_cb(void *arg, const struct rollup_piece *piece)
{
    struct bench *b = arg;
    double begun = seconds();

    b->rows += piece->count;
    b->flushed = false;
    if (store_rollup(b->store, piece) != RG_OK)
        abort();
    store_flush(b->store, flushed_cb, b);
    while (!b->flushed) {
        if (!virtual_loop_step(b->loop))
            abort();
    }
    b->commit_s += seconds() - begun;
}

static void give_all(struct rollup *rollup, struct bench *b)
{
    rollup_close(rollup, store_turn(b->store));
    while (rollup_give(rollup, piece_cb, b))
        continue;
}

static void run(size_t points, int minutes)
{
    char *text = calloc(1, points * 32 + points / FRAME * 64 + 64), *at = text, folder[SUPPORT_TMP_SIZE],
         path[SUPPORT_TMP_SIZE + 16], why[256];
    struct support_site site;
    struct rollup *rollup;
    struct thin *thin;
    struct bench b = {.rows = 0};
    struct store_start start;
    struct sample samples[FRAME];
    struct jsonw w;
    const char *body;
    size_t length;
    double begun, rolled = 0, thinned = 0, encoded = 0;
    struct stat file;

    for (size_t p = 0; p < points; p++) {
        if (p % FRAME == 0)
            at += sprintf(at, "device d%zu poll=1s record=20s:60s\n", p / FRAME);
        at += sprintf(at, "point p%zu change=1\n", p % FRAME);
    }
    support_site_build(&site, text);
    free(text);
    if (!support_tmp_dir(folder) || loop_create(&b.loop) != RG_OK ||
        rollup_create(&site.site, &rollup) != RG_OK || thin_create(&site.site, &thin) != RG_OK)
        abort();
    (void)snprintf(path, sizeof path, "%s/bench.db", folder);
    site.site.store.path = path;
    if (store_open(b.loop, &site.site.store, &(struct store_cbs){0}, NULL, &b.store, &start, why,
                   sizeof why) != RG_OK)
        abort();
    jsonw_init(&w, 0);
    for (int poll = 0; poll < minutes * POLLS; poll++) {
        for (uint32_t d = 0; d < site.site.device_count; d++) {
            struct frame frame = {.device = d,
                                  .at = {poll * 1000, VIRTUAL_WALL_MS + poll * INT64_C(1000)},
                                  .heard = true,
                                  .count = FRAME,
                                  .samples = samples};
            double commits = b.commit_s;

            for (uint32_t i = 0; i < FRAME; i++)
                samples[i] = (struct sample){
                    .point = d * FRAME + i, .quality = QUALITY_GOOD, .value = 20 + 0.001 * (poll % 100)};
            begun = seconds();
            if (rollup_is_over(rollup, &frame))
                give_all(rollup, &b);
            rollup_frame(rollup, &frame);
            rolled += seconds() - begun - (b.commit_s - commits);
            begun = seconds();
            if (thin_frame(thin, &frame) == THIN_HOLD)
                thin_hold(thin, &frame, poll);
            thinned += seconds() - begun;
            begun = seconds();
            if (record_frame(&w, &site.site, &frame, &body, &length) != RG_OK)
                abort();
            encoded += seconds() - begun;
        }
    }
    give_all(rollup, &b);
    store_start_free(&start);
    (void)store_close(b.store);
    if (stat(path, &file) != 0)
        abort();
    double readings = (double)points * POLLS * minutes, frames = readings / FRAME;
    (void)printf("%zu points: %.0f ns a reading rolled up; a frame of %d: %.0f ns thinned, %.0f ns encoded; "
                 "%.2f ms a minute's batch, "
                 "%.1f bytes a row\n",
                 points, rolled / readings * 1e9, FRAME, thinned / frames * 1e9, encoded / frames * 1e9,
                 b.commit_s / minutes * 1e3, (double)file.st_size / (double)b.rows);
    jsonw_free(&w);
    thin_destroy(thin);
    rollup_destroy(rollup);
    support_site_free(&site);
    (void)loop_destroy(b.loop);
    (void)support_tmp_remove(folder);
}

int main(int argc, char **argv)
{
    static const size_t points[] = {100, 500, 5000};
    int minutes = argc > 1 ? atoi(argv[1]) : 60;

    for (size_t i = 0; i < RG_COUNT(points); i++)
        run(points[i], minutes);
    return 0;
}
