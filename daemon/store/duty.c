#include "store/duty.h"

#include <stdlib.h>
#include <string.h>

#include "store/store_impl.h"

enum { GOES_ON, BEGINS, ENDS, SHORT, AHEAD, ENDED_AHEAD, OLD, STMT_COUNT };

/* mark: the list in which a row was last found. */
static const char *const statements[STMT_COUNT] = {
    [GOES_ON] = "UPDATE duty SET mark = ?1 WHERE device = ?2 AND points = ?3 AND poll_ms = ?4 AND until = 0",
    [BEGINS] = "INSERT INTO duty(device, since, until, points, poll_ms, mark) VALUES (?2, ?5, 0, ?3, ?4, ?1)"
               " ON CONFLICT (device, since) DO UPDATE SET until = 0, points = excluded.points,"
               " poll_ms = excluded.poll_ms, mark = excluded.mark",
    [ENDS] = "UPDATE duty SET until = ?2 WHERE until = 0 AND mark <> ?1",
    [SHORT] = "DELETE FROM duty WHERE until > 0 AND until <= since",
    [AHEAD] = "UPDATE OR REPLACE duty SET since = ?1 WHERE since > ?1",
    [ENDED_AHEAD] = "UPDATE duty SET until = ?1 WHERE until > ?1",
    [OLD] = "DELETE FROM duty WHERE until > 0 AND until < ?1",
};

struct duty_list *duty_copy(const struct store_duty *duties, size_t count)
{
    size_t text = 0;
    struct duty_list *list = calloc(1, sizeof *list);
    char *name;

    for (size_t i = 0; i < count; i++)
        text += strlen(duties[i].device) + 1;
    if (!list)
        return NULL;
    list->duties = malloc(count * sizeof *duties + text + 1);
    if (!list->duties) {
        free(list);
        return NULL;
    }
    list->count = count;
    name = (char *)(list->duties + count);
    for (size_t i = 0; i < count; i++) {
        list->duties[i] = duties[i];
        list->duties[i].device = name;
        name = stpcpy(name, duties[i].device) + 1;
    }
    return list;
}

void duty_free(struct duty_list *list)
{
    if (list)
        free(list->duties);
    free(list);
}

static int run_two(sqlite3_stmt *stmt, int64_t a, int64_t b)
{
    (void)sqlite3_bind_int64(stmt, 1, a);
    if (sqlite3_bind_parameter_count(stmt) > 1)
        (void)sqlite3_bind_int64(stmt, 2, b);
    return db_run(stmt);
}

static int write_one(sqlite3 *db, sqlite3_stmt **stmts, const struct duty_list *list,
                     const struct store_duty *duty)
{
    for (int which = GOES_ON; which <= BEGINS; which++) {
        sqlite3_stmt *stmt = stmts[which];
        int rc;

        (void)sqlite3_bind_int64(stmt, 1, list->turn);
        (void)sqlite3_bind_text(stmt, 2, duty->device, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(stmt, 3, duty->points);
        (void)sqlite3_bind_int64(stmt, 4, duty->poll_ms);
        if (which == BEGINS)
            (void)sqlite3_bind_int64(stmt, 5, list->now_ms);
        rc = db_run(stmt);
        (void)sqlite3_clear_bindings(stmt); /* the name is not the statement's */
        if (rc != SQLITE_OK || (which == GOES_ON && sqlite3_changes(db) > 0))
            return rc;
    }
    return SQLITE_OK;
}

int duty_write(sqlite3 *db, const struct duty_list *list)
{
    sqlite3_stmt *stmts[STMT_COUNT] = {NULL};
    int rc = db_prepare_all(db, statements, STMT_COUNT, stmts);

    /* What began under a clock that ran ahead began now at the latest. */
    if (rc == SQLITE_OK)
        rc = run_two(stmts[AHEAD], list->now_ms, 0);
    if (rc == SQLITE_OK)
        rc = run_two(stmts[ENDED_AHEAD], list->now_ms, 0);
    for (size_t i = 0; rc == SQLITE_OK && i < list->count; i++)
        rc = write_one(db, stmts, list, &list->duties[i]);
    if (rc == SQLITE_OK)
        rc = run_two(stmts[ENDS], list->turn, list->now_ms);
    if (rc == SQLITE_OK)
        rc = db_run(stmts[SHORT]);
    if (rc == SQLITE_OK)
        rc = run_two(stmts[OLD], list->now_ms - list->keep_ms, 0);
    db_finalize_all(stmts, STMT_COUNT);
    return rc;
}

enum rg_err store_duty_put(struct store *s, const struct store_duty *duties, size_t count, int64_t now_ms)
{
    struct duty_list *list;

    for (size_t i = 0; i < count; i++) {
        if (!text_is_id(duties[i].device) || duties[i].poll_ms <= 0)
            return RG_EINVAL;
    }
    list = duty_copy(duties, count);
    if (!list)
        return RG_ENOMEM;
    list->now_ms = now_ms;
    list->turn = store_turn(s);
    list->keep_ms = s->limits.keep_ms[STREAM_REPORT];
    duty_free(s->duty_next);
    s->duty_next = list;
    pump_step(s);
    return RG_OK;
}
