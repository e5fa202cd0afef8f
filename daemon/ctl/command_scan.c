/* riskgatectl probe --scan: who is on the line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/probe.h"
#include "ctl/scan.h"

#define SCAN_TIMEOUT_MOST_MS 500 /* of a try, unless --timeout says otherwise: 247 are many */

struct view {
    const struct probe_wish *wish;
    struct access *access;
    struct jsonw w; /* --json: what was found */
    bool progress;  /* on a terminal */
    unsigned found;
};

static bool ask_cb(void *arg, const struct driver_raw *ask, struct driver_raw_answer *answer,
                   int64_t *took_ms)
{
    struct view *v = arg;

    return access_ask(v->access, ask, answer, took_ms);
}

static void wait_cb(void *arg, int64_t ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

    (void)arg;
    while (nanosleep(&left, &left) != 0)
        continue; /* a signal that does not end us: the rest */
}

static void progress_cb(void *arg, uint8_t unit)
{
    const struct view *v = arg;

    if (v->progress)
        (void)fprintf(stderr, "\r\033[Kunit %u of %ld to %ld, found %u ", unit, v->wish->first_unit,
                      v->wish->last_unit, v->found);
}

static const char *found_name(enum scan_found found)
{
    static const char *const names[] = {
        [SCAN_NOBODY] = "nobody",   [SCAN_ANSWERS] = "answers", [SCAN_REFUSES] = "refuses",
        [SCAN_GARBLED] = "garbled", [SCAN_BROKE] = "broke",
    };

    return names[found];
}

static void describe(enum scan_found found, const struct driver_raw_answer *answer, char *out, size_t size)
{
    if (found == SCAN_ANSWERS)
        (void)text_format(out, size, "reads %u", answer->values[0]);
    else if (found == SCAN_REFUSES)
        (void)text_format(out, size, "%s (exception %u)", answer->detail, answer->exception);
    else
        (void)text_format(out, size, "%s: two units with this number? Else noise, or a wrong speed or parity",
                          answer->detail);
}

static void found_cb(void *arg, uint8_t unit, enum scan_found found, const struct driver_raw_answer *answer)
{
    struct view *v = arg;
    const struct access_device *device;
    size_t index = 0;
    char text[2 * DRIVER_DETAIL_MAX];

    v->found++;
    device = access_next_device(v->access, unit, &index);
    describe(found, answer, text, sizeof text);
    if (!v->wish->choice.json) {
        if (v->progress)
            (void)fputs("\r\033[K", stderr);
        (void)printf("%4u  %-8s  %-20s  %s\n", unit, found_name(found), device ? device->name : "-", text);
        (void)fflush(stdout);
        return;
    }
    jsonw_object_begin(&v->w);
    jsonw_key_int(&v->w, "unit", unit);
    jsonw_key_string(&v->w, "found", found_name(found));
    jsonw_key_string(&v->w, "device", device ? device->name : NULL);
    jsonw_key(&v->w, "exception");
    if (found == SCAN_REFUSES)
        jsonw_int(&v->w, answer->exception);
    else
        jsonw_null(&v->w);
    jsonw_key_string(&v->w, "detail", text);
    jsonw_object_end(&v->w);
}

static enum exit_status finish(struct view *v, const struct scan_result *r)
{
    enum exit_status status = r->failed || r->ended || r->found + r->garbled == 0 ? EXIT_FAILED : EXIT_DONE;

    if (v->progress)
        (void)fputs("\r\033[K", stderr);
    if (r->ended)
        (void)fprintf(stderr, "riskgatectl: given up after %u units: %s\n", r->asked, r->detail);
    if (!v->wish->choice.json) {
        (void)printf("%u units asked, %u found", r->asked, r->found);
        if (r->garbled > 0)
            (void)printf(", %u garbled", r->garbled);
        (void)putchar('\n');
        return status;
    }
    jsonw_array_end(&v->w);
    jsonw_key_int(&v->w, "asked", (int64_t)r->asked);
    jsonw_key_bool(&v->w, "whole", !r->failed && !r->ended);
    jsonw_key_string(&v->w, "error", r->ended ? r->detail : NULL);
    jsonw_object_end(&v->w);
    if (jsonw_error(&v->w) == RG_OK)
        (void)puts(v->w.text);
    else
        status = EXIT_FAILED;
    return status;
}

enum exit_status probe_scan(const struct probe_wish *wish, struct access *access)
{
    static const struct scan_cbs cbs = {ask_cb, wait_cb, found_cb, progress_cb};
    struct view v = {.wish = wish, .access = access, .progress = isatty(STDERR_FILENO)};
    struct scan scan = {.first = (uint8_t)wish->first_unit,
                        .last = (uint8_t)wish->last_unit,
                        .model = {.space = wish->space, .address = (uint16_t)wish->address, .count = 1},
                        .gap_ms = wish->gap_ms,
                        .shared = access_is_shared(access)};
    struct scan_result result;
    enum exit_status status;

    scan.model.timeout_ms = access_timeout_ms(access);
    if (wish->choice.timeout_ms == 0 && scan.model.timeout_ms > SCAN_TIMEOUT_MOST_MS)
        scan.model.timeout_ms = SCAN_TIMEOUT_MOST_MS;
    jsonw_init(&v.w, 0);
    jsonw_object_begin(&v.w);
    jsonw_key_string(&v.w, "bus", access_bus_name(access));
    jsonw_key_string(&v.w, "place", access_place(access));
    jsonw_key_string(&v.w, "via", access_is_shared(access) ? "daemon" : "direct");
    jsonw_key(&v.w, "units");
    jsonw_array_begin(&v.w);
    if (!wish->choice.json)
        (void)printf("%s\nUNIT  FOUND     DEVICE                DETAIL\n", access_place(access));
    (void)fflush(stdout);
    scan_run(&scan, &cbs, &v, &result);
    status = finish(&v, &result);
    jsonw_free(&v.w);
    return status;
}
