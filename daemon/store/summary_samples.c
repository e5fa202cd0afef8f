/* How complete the data is: what was expected of each device (the table duty), and what the minute roll-ups say came. */
#include <stdlib.h>
#include <string.h>

#include "store/summary.h"

#define SLICE_MS INT64_C(3600000)     /* of roll-ups in one read */
#define POINTS_MAX (INT64_C(1) << 20) /* numbers of points: more cannot be configured in any store's life */

struct samples {
    struct summary_device *devices; /* by name */
    size_t count, room;
    uint32_t *device_of; /* by number of the point; UINT32_MAX: it is not asked */
    int64_t points;
};

static struct summary_device *enter(struct samples *x, const char *name)
{
    struct summary_device *d = x->count > 0 ? &x->devices[x->count - 1] : NULL;

    if (d && strcmp(d->name, name) == 0)
        return d;
    if (x->count == x->room) {
        size_t room = x->room ? 2 * x->room : 64;
        struct summary_device *grown = realloc(x->devices, room * sizeof *grown);

        if (!grown)
            return NULL;
        x->devices = grown;
        x->room = room;
    }
    d = &x->devices[x->count++];
    *d = (struct summary_device){.expected = 0};
    (void)text_copy(d->name, sizeof d->name, name);
    return d;
}

/* Sample times that fit: rounded down only once all stretches are added, so it is counted in 1/poll of a sample. */
static int take_duties(sqlite3 *db, const struct summary *s, struct samples *x)
{
    static const char sql[] =
        "SELECT device, CAST(sum(1.0 * points * (CASE WHEN until = 0 OR until > ?2 THEN ?2 ELSE until END"
        " - max(since, ?1)) / poll_ms) + 1e-6 AS INTEGER)"
        " FROM duty WHERE since < ?2 AND (until = 0 OR until > ?1) GROUP BY device ORDER BY device";
    sqlite3_stmt *stmt = NULL;
    int rc = summary_prepare(db, sql, s, &stmt);

    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(stmt, 1, s->samples_from);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        const char *name;
        int64_t expected;
        struct summary_device *d;

        rc = sqlite3_step(stmt);
        if (rc != SQLITE_ROW)
            break;
        name = (const char *)sqlite3_column_text(stmt, 0);
        expected = sqlite3_column_int64(stmt, 1);
        d = enter(x, name ? name : "");
        if (!d)
            rc = SQLITE_NOMEM;
        else if (expected > 0)
            d->expected = (uint64_t)expected;
    }
    return summary_end(stmt, rc);
}

static int compare_names(const void *name, const void *device)
{
    return strcmp(name, ((const struct summary_device *)device)->name);
}

/* Names are "device.point", and neither holds a dot. */
static uint32_t device_of(const struct samples *x, const char *point)
{
    char name[TEXT_ID_MAX + 1];
    const char *dot = strchr(point, '.');
    size_t length = dot ? (size_t)(dot - point) : 0;
    const struct summary_device *found;

    if (length == 0 || length >= sizeof name)
        return UINT32_MAX;
    memcpy(name, point, length);
    name[length] = '\0';
    found = x->count > 0 ? bsearch(name, x->devices, x->count, sizeof *x->devices, compare_names) : NULL;
    return found ? (uint32_t)(found - x->devices) : UINT32_MAX;
}

static int take_points(sqlite3 *db, struct samples *x)
{
    sqlite3_stmt *stmt = NULL;
    int64_t last = 0;
    int rc = db_number(db, "SELECT max(id) FROM rollup_point", -1, &last);

    if (rc != SQLITE_OK || last < 0)
        return rc;
    if (last >= POINTS_MAX)
        return SQLITE_TOOBIG;
    x->points = last + 1;
    x->device_of = malloc((size_t)x->points * sizeof *x->device_of);
    if (!x->device_of)
        return SQLITE_NOMEM;
    memset(x->device_of, 0xff, (size_t)x->points * sizeof *x->device_of);
    rc = db_prepare(db, "SELECT id, name FROM rollup_point WHERE id >= 0", &stmt);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        const char *name;
        int64_t id;

        rc = sqlite3_step(stmt);
        if (rc != SQLITE_ROW)
            break;
        id = sqlite3_column_int64(stmt, 0);
        name = (const char *)sqlite3_column_text(stmt, 1);
        if (id < x->points && name) /* one that came meanwhile has its minutes later than this */
            x->device_of[id] = device_of(x, name);
    }
    return summary_end(stmt, rc);
}

static int take_slice(sqlite3_stmt *stmt, int64_t from, int64_t to, struct samples *x)
{
    int rc = sqlite3_bind_int64(stmt, 1, from);

    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(stmt, 2, to);
    while (rc == SQLITE_OK || rc == SQLITE_ROW) {
        int64_t point, count;

        rc = sqlite3_step(stmt);
        if (rc != SQLITE_ROW)
            break;
        point = sqlite3_column_int64(stmt, 0);
        count = sqlite3_column_int64(stmt, 1);
        if (point >= 0 && point < x->points && x->device_of[point] != UINT32_MAX && count > 0)
            x->devices[x->device_of[point]].received += (uint64_t)count;
    }
    (void)sqlite3_reset(stmt); /* the read ends here */
    return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int take_rollups(sqlite3 *db, const struct summary *s, struct samples *x)
{
    static const char sql[] = "SELECT point, n + bad - comm FROM rollup WHERE minute >= ?1 AND minute < ?2";
    sqlite3_stmt *stmt = NULL;
    int rc = db_prepare(db, sql, &stmt);

    for (int64_t at = s->samples_from; rc == SQLITE_OK && at < s->to; at += SLICE_MS)
        rc = take_slice(stmt, at, at < s->to - SLICE_MS ? at + SLICE_MS : s->to, x);
    (void)sqlite3_finalize(stmt);
    return rc;
}

/* What the retention took of the roll-ups is not known: it is neither expected nor received. */
static int find_from(sqlite3 *db, struct summary *s)
{
    int64_t first = 0;
    int rc = db_number(db, "SELECT min(minute) FROM rollup", INT64_MIN, &first);

    s->samples_from = first > s->from ? first : s->from;
    if (s->samples_from > s->to)
        s->samples_from = s->to;
    return rc;
}

static bool is_worse(const struct summary_device *a, const struct summary_device *b)
{
    double x = (double)a->received / (double)a->expected, y = (double)b->received / (double)b->expected;

    return x < y || (x == y && a->expected - a->received > b->expected - b->received);
}

static void keep_worst(struct summary *s, const struct summary_device *d)
{
    size_t at = s->device_count;

    s->devices_lacking++;
    if (at == SUMMARY_DEVICES) {
        if (!is_worse(d, &s->devices[at - 1]))
            return;
        at--;
    } else {
        s->device_count++;
    }
    for (; at > 0 && is_worse(d, &s->devices[at - 1]); at--)
        s->devices[at] = s->devices[at - 1];
    s->devices[at] = *d;
}

int summary_samples(sqlite3 *db, struct summary *s)
{
    struct samples x = {0};
    int rc = find_from(db, s);

    if (rc == SQLITE_OK)
        rc = take_duties(db, s, &x);
    if (rc == SQLITE_OK)
        rc = take_points(db, &x);
    if (rc == SQLITE_OK)
        rc = take_rollups(db, s, &x);
    for (size_t i = 0; rc == SQLITE_OK && i < x.count; i++) {
        struct summary_device *d = &x.devices[i];

        if (d->expected == 0)
            continue;
        if (d->received > d->expected)
            d->received = d->expected;
        s->devices_expected++;
        s->expected += d->expected;
        s->received += d->received;
        if (d->received < d->expected)
            keep_worst(s, d);
    }
    free(x.device_of);
    free(x.devices);
    return rc;
}
