/* A start on a disk that can be read, but takes nothing: a card that the system mounted read-only after a power cut, a disk that is full
 * to the last block. Nobody would watch if it were the end; so what the last run left is read, and the store refuses records
 * until the disk takes them, as it does when that happens later. */
#include <string.h>

#include "base/text.h"
#include "store/schema.h"
#include "store/store_impl.h"

/* The numbers of occurrences that go out unstored by this start are written down nowhere; the next one on this disk must not give
 * them again. */
static uint64_t far_ahead(struct store *s)
{
    return STORE_ALARM_MARGIN + random_below(&s->random, UINT32_C(1) << 30);
}

static enum rg_err recognise(struct store *s, struct words why)
{
    char detail[256];
    int64_t version = 0;
    enum rg_err err = schema_migrate(s->db, 0, detail, sizeof(detail));
    if (err != RG_OK) {
        (void)text_format(why.text, why.size, "%s: %s", s->path, detail);
        return err;
    }
    int rc = db_number(s->db, "PRAGMA user_version", 0, &version);
    if (rc != SQLITE_OK)
        return store_sqlite_failed(s, rc, why);
    return version == SCHEMA_VERSION ? RG_OK : RG_EIO; /* it has to be written to before it can be used */
}

static enum rg_err read_all(struct store *s, struct store_start *start, struct words why)
{
    enum rg_err err = store_forget_state(s, start);
    if (err != RG_OK)
        return err;
    int rc = db_connect(s->path, DB_SURVIVOR, NULL, &s->db);
    err = rc == SQLITE_OK ? recognise(s, why) : store_sqlite_failed(s, rc, why);
    if (err == RG_OK)
        err = store_check_marks(s, why);
    if (err == RG_OK)
        err = store_check_end(s, start, why);
    if (err == RG_OK)
        err = store_read_run(s, start, why);
    if (err == RG_OK)
        err = store_take_state(s, start, why);
    return err == RG_OK ? store_engine(s, why) : err;
}

enum rg_err standby_open(struct store *s, struct store_start *start, struct words why)
{
    char words[512];
    (void)text_copy(words, sizeof(words), why.text);
    enum rg_err err = read_all(s, start, why);
    store_disconnect(
        s,
        true); /* what the engine read of heads stays; a connection would keep the file from being written to */
    if (err != RG_OK) {
        (void)text_copy(why.text, why.size, words);
        return RG_EIO;
    }
    start->boot++;
    start->next_alarm = s->next_alarm += far_ahead(s);
    s->standby = true;
    return RG_OK;
}

/* As at a start, but that the numbers of this run are known. */
static enum rg_err open_again(struct store *s, struct words why)
{
    enum rg_err err = store_connect(s, why);
    if (err == RG_OK)
        err = store_check_marks(s, why);
    if (err != RG_OK)
        return err;
    char begin[96];
    (void)text_format(begin, sizeof(begin), "UPDATE run SET boot = %lld, clean = 0", (long long)s->boot);
    int rc = db_exec(s->db, begin);
    if (rc != SQLITE_OK)
        return store_sqlite_failed(s, rc, why);
    rc = rollups_rebuild(s->db);
    return db_error(rc) == RG_ECORRUPT ? store_sqlite_failed(s, rc, why) : RG_OK;
}

static void begin_marks(struct store *s)
{
    int64_t head[STREAM_COUNT];
    struct marks_state was;
    int64_t present_ms = s->marks.now.present_ms;
    for (int i = 0; i < STREAM_COUNT; i++)
        head[i] = s->writer.streams[i].seq;
    marks_close(&s->marks);
    marks_open(&s->marks, s->path, s->count, &was);
    (void)marks_begin(&s->marks, head, s->job.next_alarm, s->boot); /* tried again with each commit */
    s->retention.present_ms = present_ms;
}

int standby_end(struct store *s, struct words why)
{
    enum rg_err err = open_again(s, why);
    if (err == RG_OK)
        err = store_engine(s, why);
    if (err != RG_OK)
        store_disconnect(s, true);
    if (err == RG_ECORRUPT)
        return SQLITE_CORRUPT;
    if (err != RG_OK)
        return err == RG_ENOMEM ? SQLITE_NOMEM : SQLITE_READONLY;
    begin_marks(s);
    s->standby = false;
    s->job.opened = true;
    return SQLITE_OK;
}
