/* LINK rg_store rg_loop_virtual rg_test_support rg_fault_vfs PkgConfig::SQLITE */
/* What the store costs its disk: bytes and syncs, as the status tells them, and no sync too many. */
#include "test_store_help.h"

#include "fault_vfs.h"
#include "store/marks.h"
#include "store/wear.h"

#define HOUR INT64_C(3600000)

static void test_day(void **state)
{
    (void)state;
    struct wear w;
    int64_t bytes = 0, syncs = 0;
    wear_begin(&w, 5000);
    wear_day(&w, 5000 + WEAR_LEAST_MS - 1, &bytes, &syncs);
    assert_true(bytes == -1 && syncs == -1);
    struct count_written total = {0};
    /* 10 bytes and one sync a second, for three days. */
    for (int64_t s = 1; s <= 3 * 86400; s++) {
        total.bytes += 10;
        total.syncs++;
        wear_note(&w, 5000 + s * 1000, total);
        if (s % 9999 != 0)
            continue;
        wear_day(&w, 5000 + s * 1000, &bytes, &syncs);
        assert_in_range(bytes, 863900, 864100);
        assert_in_range(syncs, 86390, 86410);
    }
    /* A quiet day behind it: only what is left of the last 24 hours counts. */
    wear_note(&w, 5000 + 4 * 24 * HOUR, total);
    wear_day(&w, 5000 + 4 * 24 * HOUR, &bytes, &syncs);
    assert_in_range(bytes, 0, 40000);
    wear_note(&w, 5000 + 400 * 24 * HOUR, total);
    wear_day(&w, 5000 + 400 * 24 * HOUR, &bytes, &syncs);
    assert_true(bytes == 0 && syncs == 0);
}

/* One sync a commit; beside it those of copying the log back, and of numbers that are reserved anew. */
static void test_syncs(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    rig_open(&r);
    struct store_stats before, after;
    store_stats(r.store, &before);
    uint64_t played = fault_now()->syncs;
    for (unsigned i = 0; i < 1000; i++) {
        for (uint32_t k = 0; k < 20; k++)
            rig_frame(&r, k);
        rig_run(&r, 1100);
    }
    store_stats(r.store, &after);
    uint64_t commits = after.commits - before.commits, syncs = after.syncs - before.syncs;
    print_message("%" PRIu64 " commits: %" PRIu64 " syncs, %" PRIu64 " KiB\n", commits, syncs,
                  (after.written_bytes - before.written_bytes) >> 10);
    assert_in_range(commits, 995, 1005);
    assert_true(syncs >= commits && syncs < commits + commits / 20);
    /* What the status says is what was asked of the disk. */
    assert_in_range(syncs, fault_now()->syncs - played, fault_now()->syncs - played + 3);
    assert_true(after.written_bytes - before.written_bytes > UINT64_C(20000) * 60);
    assert_true(after.written_bytes - before.written_bytes < UINT64_C(1000) * 16 * 4096);
    assert_in_range(after.syncs_per_day, 70000, 90000);
    assert_true(after.written_per_day > 0);
    /* The log stays within its bound, and nothing is written while nothing comes. */
    assert_true(rig_number(&r, "SELECT 1") == 1);
    rig_run(&r, HOUR);
    store_stats(r.store, &before);
    rig_run(&r, 10 * HOUR);
    store_stats(r.store, &after);
    assert_int_equal(after.syncs, before.syncs);
    assert_int_equal(after.written_bytes, before.written_bytes);
    rig_end(&r);
}

/* Reservations are rare, and always ahead. */
static void test_reservations(void **state)
{
    (void)state;
    struct rig r;
    rig_init(&r);
    struct marks m;
    struct marks_state found;
    struct count_vfs *count = NULL;
    assert_int_equal(count_vfs_create(&count), RG_OK);
    marks_open(&m, r.path, count, &found);
    assert_false(found.found);
    int64_t head[STREAM_COUNT] = {0};
    assert_true(marks_begin(&m, head, 1, 1));
    uint64_t begun = count_vfs_read(count).syncs;
    for (int64_t n = 1; n <= 1000; n++) {
        head[STREAM_TELEMETRY] = n * 1000;
        head[STREAM_ALARM] = n * 10;
        marks_note(&m, head, (uint64_t)n, 1000 * n);
        assert_true(m.now.reserved[STREAM_TELEMETRY] >= head[STREAM_TELEMETRY] + MARKS_AHEAD_TELEMETRY / 2);
        assert_true(m.now.reserved[STREAM_ALARM] >= head[STREAM_ALARM] + MARKS_AHEAD / 2);
        assert_true(m.now.next_alarm >= (uint64_t)n + MARKS_AHEAD / 2);
    }
    assert_in_range(count_vfs_read(count).syncs - begun, 10, 30);
    marks_close(&m);
    /* As after a kill: the last numbers are known, and known to be the last. */
    marks_open(&m, r.path, NULL, &found);
    assert_true(found.found && found.exact);
    assert_int_equal(found.seen[STREAM_TELEMETRY], 1000000);
    assert_int_equal(found.seen[STREAM_ALARM], 10000);
    assert_int_equal(found.present_ms, 1000000);
    marks_close(&m);
    /* After a power cut the note may be gone. */
    char name[SUPPORT_TMP_SIZE + 48];
    (void)snprintf(name, sizeof(name), "%s.marks", r.path);
    FILE *file = fopen(name, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 2L * 4096 + 20, SEEK_SET), 0);
    assert_int_equal(fputs("torn", file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
    marks_open(&m, r.path, NULL, &found);
    assert_true(found.found);
    assert_true(found.reserved[STREAM_TELEMETRY] >= 1000000 && found.reserved[STREAM_ALARM] >= 10000);
    assert_true(found.next_alarm >= 1000);
    marks_close(&m);
    count_vfs_destroy(count);
    rig_end(&r);
}

static int clear(void **state)
{
    (void)state;
    fault_clear();
    return 0;
}

int main(void)
{
    fault_install();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_day, clear),
        cmocka_unit_test_setup(test_syncs, clear),
        cmocka_unit_test_setup(test_reservations, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
