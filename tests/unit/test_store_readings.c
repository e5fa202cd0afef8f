/* LINK rg_store rg_loop_virtual rg_test_support PkgConfig::SQLITE */
/* What people are shown of a point's past, from the store's file. */
#include "test_store_help.h"

#include "store/readings.h"

#define T INT64_C(1763780040000)

static char out[4096];

static const char *read_all(const struct rig *r, const char *point, int64_t from, int64_t to, bool minutes)
{
    const struct readings_wish wish = {.point = point, .from_ms = from, .to_ms = to, .minutes = minutes};
    struct readings *readings = NULL;
    struct readings_row row;
    size_t used = 0;
    enum rg_err err = readings_open(r->path, &wish, &readings, out, sizeof out);

    if (err != RG_OK) {
        assert_null(readings);
        return err == RG_ENOTFOUND ? "nothing" : rg_err_name(err);
    }
    out[0] = '\0';
    while ((err = readings_next(readings, &row)) == RG_OK) {
        if (minutes)
            used += (size_t)snprintf(out + used, sizeof out - used, "%d:%d/%d %g..%g %g;", (int)(row.ts - T),
                                     (int)row.n, (int)row.bad, row.min, row.max, row.mean);
        else
            used += (size_t)snprintf(out + used, sizeof out - used, "%d:%s %s%s;", (int)(row.ts - T),
                                     row.has_value ? row.value : "-", row.quality,
                                     row.unsynced ? " unsynced" : "");
        assert_true(used < sizeof out);
    }
    assert_int_equal(err, RG_ENOTFOUND);
    readings_close(readings);
    return out;
}

static void test_readings(void **state)
{
    struct rig r;
    struct store_record late = {.stream = STREAM_TELEMETRY,
                                .ts = T + 500,
                                .body = "\"ts\":1,\"device\":\"gas-1\",\"values\":{\"a\":7}",
                                .device = 1,
                                .device_name = "gas-1",
                                .unsynced = true};

    (void)state;
    late.length = strlen(late.body);
    rig_init(&r);
    rig_open(&r);
    late.turn = store_turn(r.store);
    assert_int_equal(rig_telemetry(&r, 1, T, "\"values\":{\"a\":1.50,\"b\":2}"), RG_OK);
    assert_int_equal(rig_telemetry(&r, 1, T + 1000, "\"values\":{\"b\":3},\"bad\":{\"a\":\"sensor\"}"),
                     RG_OK);
    assert_int_equal(rig_telemetry(&r, 2, T + 1500, "\"values\":{\"a\":9}"), RG_OK);
    assert_int_equal(rig_telemetry(&r, 1, T + 2000, "\"values\":{\"b\":4}"), RG_OK);
    assert_int_equal(store_append(r.store, &late), RG_OK);
    rig_run(&r, 1100);
    assert_string_equal(read_all(&r, "gas-1.a", 0, 0, false),
                        "0:1.50 good;500:7 good unsynced;1000:- sensor;");
    assert_string_equal(read_all(&r, "gas-1.b", T + 1000, T + 1999, false), "1000:3 good;");
    assert_string_equal(read_all(&r, "gas-1.c", 0, 0, false), "");
    assert_string_equal(read_all(&r, "gas-3.a", 0, 0, false), "nothing");
    assert_string_equal(read_all(&r, "gas-1", 0, 0, false), "nothing");
    assert_string_equal(read_all(&r, "gas-1.a\"')", 0, 0, false), "nothing");
    assert_string_equal(read_all(&r, "gas-1.a", 0, 0, true), "nothing");
    rig_close(&r);
    rig_open(&r);
    assert_string_equal(read_all(&r, "gas-1.a", 0, 0, true), "0:2/1 1.5..7 4.25;");
    assert_string_equal(read_all(&r, "gas-1.a", T + 1, 0, true), "");
    rig_end(&r);
    assert_string_equal(read_all(&r, "gas-1.a", 0, 0, false), "EIO");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_readings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
