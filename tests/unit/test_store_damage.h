/* What the tests of damaged stores share: the state of a killed process, damage, and what must hold afterwards. */
#ifndef RG_TESTS_STORE_DAMAGE_H
#define RG_TESTS_STORE_DAMAGE_H

#include "test_store_help.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/audit.h"

static inline const char *damage_path(const struct rig *r, const char *end)
{
    static char out[SUPPORT_TMP_SIZE + 64];
    (void)snprintf(out, sizeof(out), "%s%s", r->path, end);
    return out;
}

static inline size_t damage_read(const char *path, char *out, size_t size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return 0;
    size_t n = fread(out, 1, size, file);
    assert_int_equal(fclose(file), 0);
    return n;
}

static inline void damage_write(const char *path, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

/* Bytes in the middle of a file that others may have open. */
static inline void damage_patch(const char *path, long at, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

/* The files of a store as a killed process leaves them. */
struct killed {
    char database[1 << 20], log[1 << 20], marks[1 << 14];
    size_t database_size, log_size, marks_size;
};

static inline void damage_take(const struct rig *r, struct killed *k)
{
    k->database_size = damage_read(r->path, k->database, sizeof(k->database));
    k->log_size = damage_read(damage_path(r, "-wal"), k->log, sizeof(k->log));
    k->marks_size = damage_read(damage_path(r, ".marks"), k->marks, sizeof(k->marks));
    assert_true(k->database_size < sizeof(k->database) && k->log_size < sizeof(k->log));
}

static inline void damage_put(const struct rig *r, const struct killed *k)
{
    (void)remove(damage_path(r, "-shm"));
    (void)remove(damage_path(r, "-wal"));
    damage_write(r->path, k->database, k->database_size);
    if (k->log_size > 0)
        damage_write(damage_path(r, "-wal"), k->log, k->log_size);
    (void)remove(damage_path(r, ".marks"));
    if (k->marks_size > 0)
        damage_write(damage_path(r, ".marks"), k->marks, k->marks_size);
}

/* Closed as by a kill: what was there before is put back. */
static inline void damage_kill(struct rig *r, struct killed *k)
{
    damage_take(r, k);
    store_start_free(&r->start);
    (void)store_close(r->store);
    r->store = NULL;
    damage_put(r, k);
}

/* Files that were set aside. */
static inline unsigned damage_asides(const struct rig *r)
{
    unsigned count = 0;
    DIR *folder = opendir(r->folder);
    assert_non_null(folder);
    for (const struct dirent *e = readdir(folder); e != NULL; e = readdir(folder)) {
        const char *end = e->d_name + strlen(e->d_name) - 4;
        count +=
            strstr(e->d_name, ".db.corrupt-") != NULL && strcmp(end, "-wal") != 0 && strcmp(end, "-shm") != 0;
    }
    assert_int_equal(closedir(folder), 0);
    return count;
}

/* The chains of all streams hold, and nothing is missing that no event tells of. */
static inline void damage_audit(const struct rig *r)
{
    struct audit *audit = NULL;
    char why[512] = "";
    if (audit_open(r->path, &audit, why, sizeof(why)) != RG_OK)
        fail_msg("%s", why);
    for (int i = 0; i < STREAM_COUNT; i++) {
        struct audit_stream found;
        assert_int_equal(audit_check(audit, (enum stream)i, &found), RG_OK);
        if (found.fault != AUDIT_NONE)
            fail_msg("%s: %s %" PRId64 ": %s", stream_name((enum stream)i), audit_fault_name(found.fault),
                     found.bad_first, found.words);
    }
    audit_close(audit);
}

/* Each number up to the head is in the store or was told as lost. */
static inline void damage_complete(const struct rig *r)
{
    for (int s = 0; s < STREAM_COUNT; s++) {
        char sql[160];
        (void)snprintf(sql, sizeof(sql),
                       "SELECT coalesce(min(seq) - 1, -1), coalesce(max(seq), 0), count(*) FROM %s",
                       stream_name((enum stream)s));
        int64_t before = -1, last = 0, count = 0;
        assert_int_equal(
            sscanf(rig_query(r, sql), "%" SCNd64 "|%" SCNd64 "|%" SCNd64, &before, &last, &count), 3);
        if (before < 0)
            before = r->head[s];
        else
            assert_int_equal(last - before, count);
        int64_t told = 0;
        for (size_t i = 0; i < r->lost_count; i++) {
            if (r->lost[i].stream == (enum stream)s && r->lost[i].first > 0 && r->lost[i].last > told)
                told = r->lost[i].last;
        }
        if (before > 0 && told < before)
            fail_msg("%s: begins after %" PRId64 ", told as lost up to %" PRId64, stream_name((enum stream)s),
                     before, told);
    }
}

#endif
