/* LINK rg_daemon rg_sim rg_loop_virtual rg_test_support rg_crypto */
/* The end of a certificate is told in time, as often as it should be, and not again once it was renewed. */
#include "app_rig.h"

#include "crypto/expiry_stage.h"
#include "base/json_read.h"
#include "pem_files.h"

#define SLOW                                                                                                 \
    "area shop\nbus b1 host=127.0.0.1 port=1502\ndevice d bus=b1 unit=1 poll=1h area=shop "                  \
    "offline=9h:yellow\n"                                                                                    \
    "point a holding=0\npoint b holding=1\n"
#define DAY INT64_C(86400000)
#define END_OLD INT64_C(1704067200000)    /* PEM_OLD: 2024-01-01 */
#define END_NEW INT64_C(2019686400000)    /* PEM_NEW: 2034-01-01 */
#define END_BROKER INT64_C(2569738150000) /* PEM_BROKER: 2051-06-07 */

/* ---- pure ---- */

static void stages(void **state)
{
    static const struct {
        int64_t left;
        enum expiry_stage stage;
        int64_t days;
    } rows[] = {
        {31 * DAY, EXPIRY_FAR, 31},
        {30 * DAY + 1, EXPIRY_FAR, 30},
        {30 * DAY, EXPIRY_MONTH, 30},
        {30 * DAY - 1, EXPIRY_MONTH, 29},
        {7 * DAY + 1, EXPIRY_MONTH, 7},
        {7 * DAY, EXPIRY_WEEK, 7},
        {DAY + 1, EXPIRY_WEEK, 1},
        {DAY, EXPIRY_DAY, 1},
        {1, EXPIRY_DAY, 0},
        {0, EXPIRY_DAY, 0},
        {-1, EXPIRY_ENDED, -1},
        {-DAY, EXPIRY_ENDED, -1},
        {-DAY - 1, EXPIRY_ENDED, -2},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        assert_int_equal(expiry_stage(END_NEW, END_NEW - rows[i].left), rows[i].stage);
        assert_true(expiry_days(END_NEW, END_NEW - rows[i].left) == rows[i].days);
    }
}

/* Hour by hour over two months: four times, whatever the hour it was looked at first. */
static void told_once_a_stage(void **state)
{
    (void)state;
    for (int64_t first = 0; first < 60; first += 7) {
        struct expiry_told told = {0};
        unsigned count = 0, wanted = 4;

        for (int64_t hour = -first * 24; hour < 240; hour++)
            count += expiry_told_step(&told, END_NEW, END_NEW + hour * 3600000, true);
        if (first == 0)
            wanted = 2; /* the last instant, and the end */
        else if (first <= 7)
            wanted = 3;
        assert_int_equal(count, wanted);
    }
}

static void doubt(void **state)
{
    struct expiry_told told = {0};

    (void)state;
    /* Told in doubt once, and once more when it is certain. */
    assert_true(expiry_told_step(&told, END_NEW, END_NEW + DAY, false));
    assert_false(expiry_told_step(&told, END_NEW, END_NEW + DAY, false));
    assert_true(expiry_told_step(&told, END_NEW, END_NEW + DAY, true));
    assert_false(expiry_told_step(&told, END_NEW, END_NEW + DAY, true));
    /* The clock was wrong: nothing was meant, and what comes is told in its time. */
    told = (struct expiry_told){0};
    assert_true(expiry_told_step(&told, END_NEW, END_NEW + DAY, false));
    assert_false(expiry_told_step(&told, END_NEW, END_NEW - 90 * DAY, true));
    assert_true(expiry_told_step(&told, END_NEW, END_NEW - 29 * DAY, true));
    /* A renewed one begins anew. */
    assert_false(expiry_told_step(&told, END_BROKER, END_NEW - 29 * DAY, true));
    assert_true(expiry_told_step(&told, END_BROKER, END_BROKER + 1, true));
}

/* ---- in the daemon ---- */

static char ca[SUPPORT_TMP_SIZE + 32], cert[SUPPORT_TMP_SIZE + 32];

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

/* The clock goes on by so much, without all the polls of that time: only the last minutes are lived through. */
static void leap(struct rig *r, int64_t ms)
{
    virtual_loop_set_wall(r->loop, loop_wall_ms(r->loop) + ms);
    pass(r, EXPIRY_JUDGE_MS + 5000);
}

/* At that wall time, with these files: ca, or cert too. */
static void begin(struct rig *r, int64_t wall_ms, const char *ca_text, const char *cert_text)
{
    rig_begin(r, SLOW);
    (void)snprintf(ca, sizeof ca, "%s/ca.pem", r->folder);
    (void)snprintf(cert, sizeof cert, "%s/cert.pem", r->folder);
    if (ca_text)
        put(ca, ca_text);
    if (cert_text)
        put(cert, cert_text);
    r->uplink.tls = true;
    r->uplink.ca = ca;
    r->uplink.cert = cert_text ? cert : NULL;
    virtual_loop_set_wall(r->loop, wall_ms);
    assert_int_equal(expiry_follow(r->pipeline.expiry), RG_OK);
    pass(r, 5000);
}

static size_t told(const struct rig *r, const char *text)
{
    size_t count = 0;

    for (size_t i = 0; i < r->broker->count; i++) {
        for (const char *at = r->broker->messages[i].payload; (at = strstr(at, "\"state\":\"certificate\""));
             at++) {
            const char *end = strstr(at, "\"hash\"");
            char one[1024];

            assert_non_null(end);
            (void)snprintf(one, sizeof one, "%.*s", (int)(end - at), at);
            count += strstr(one, text) != NULL;
        }
    }
    return count;
}

static void status_is(const struct rig *r, const char *wanted)
{
    struct jsonw w;

    jsonw_init(&w, 0);
    jsonw_object_begin(&w);
    expiry_write(r->pipeline.expiry, "county", &w);
    jsonw_object_end(&w);
    assert_int_equal(jsonw_error(&w), RG_OK);
    if (!strstr(w.text, wanted))
        fail_msg("%s, not %s", w.text, wanted);
    jsonw_free(&w);
}

static void from_far_to_the_end_and_renewed(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, END_NEW - 40 * DAY, PEM_NEW, PEM_BROKER);
    assert_int_equal(told(&r, ""), 0);
    status_is(&r, "\"expires\":2019686400000,\"days\":39}");
    leap(&r, 11 * DAY);
    assert_int_equal(told(&r, ""), 1);
    assert_int_equal(told(&r, "\"days\":28"), 1);
    assert_int_equal(told(&r, "\"subject\":\"CN=Test CA\",\"expires\":2019686400000"), 1);
    assert_int_equal(told(&r, ca), 1);
    leap(&r, 20 * DAY);
    assert_int_equal(told(&r, ""), 1);
    leap(&r, 3 * DAY);
    assert_int_equal(told(&r, ""), 2);
    leap(&r, 5 * DAY + DAY / 2);
    assert_int_equal(told(&r, ""), 3);
    /* A renewed one stands in its place within the hour, beside the old one or alone: silence. */
    put(ca, PEM_NEW PEM_BROKER);
    pass(&r, 2 * 3600000);
    status_is(&r, "\"expires\":2019686400000");
    put(ca, PEM_BROKER);
    pass(&r, 2 * 3600000);
    status_is(&r, "\"expires\":2569738150000");
    leap(&r, 3 * DAY);
    assert_int_equal(told(&r, ""), 3);
    rig_end(&r);
}

static void told_at_the_start(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, END_NEW - 3 * DAY, PEM_NEW, NULL);
    assert_int_equal(told(&r, "\"days\":3"), 1);
    /* A new configuration does not tell it again. */
    assert_int_equal(expiry_follow(r.pipeline.expiry), RG_OK);
    pass(&r, 5000);
    assert_int_equal(told(&r, ""), 1);
    leap(&r, 4 * DAY);
    assert_int_equal(told(&r, ""), 2); /* the last day went by unseen */
    assert_int_equal(told(&r, "\"days\":-2"), 1);
    status_is(&r, "\"days\":-2}");
    rig_end(&r);
}

/* By a clock that nobody vouches for it is over: told so, as in doubt; and taken back when the clock is set. */
static void a_clock_that_is_not_set(void **state)
{
    struct rig r;

    (void)state;
    rig_begin(&r, SLOW);
    virtual_loop_set_synced(r.loop, false);
    rig_end(&r);
    begin(&r, END_NEW - 90 * DAY, PEM_NEW, NULL);
    virtual_loop_set_synced(r.loop, false);
    virtual_loop_set_wall(r.loop, END_NEW + DAY);
    pass(&r, 120000);
    assert_int_equal(told(&r, ""), 1);
    assert_int_equal(told(&r, "\"clock\":\"unsynced\""), 1);
    status_is(&r, "\"clock\":\"unsynced\"");
    virtual_loop_set_wall(r.loop, END_NEW - 90 * DAY);
    virtual_loop_set_synced(r.loop, true);
    pass(&r, 120000);
    assert_int_equal(told(&r, ""), 1);
    leap(&r, 61 * DAY);
    assert_int_equal(told(&r, ""), 2);
    rig_end(&r);
}

static void files_that_cannot_be_read(void **state)
{
    struct rig r;

    (void)state;
    begin(&r, END_NEW - 90 * DAY, NULL, NULL);
    status_is(&r, "no such file");
    put(ca, PEM_NEW);
    pass(&r, 2 * 3600000);
    status_is(&r, "\"expires\":2019686400000,\"days\":89}");
    /* Gone for a while: what was known of it still holds. */
    assert_int_equal(remove(ca), 0);
    pass(&r, 2 * 3600000);
    leap(&r, 65 * DAY);
    assert_int_equal(told(&r, ""), 1);
    status_is(&r, "no such file");
    rig_end(&r);
}

static void a_collection_of_authorities_is_not_watched(void **state)
{
    struct rig r;
    char *many = calloc(EXPIRY_AUTHORITIES + 2, sizeof PEM_OLD);

    (void)state;
    assert_non_null(many);
    for (int i = 0; i <= EXPIRY_AUTHORITIES; i++)
        (void)strcat(many, PEM_OLD); /* NOLINT(clang-analyzer-security.insecureAPI.strcpy): there is room */
    begin(&r, END_OLD + DAY, many, NULL);
    assert_int_equal(told(&r, ""), 0);
    status_is(&r, "\"certificate\":null");
    rig_end(&r);
    free(many);
}

/* Without TLS there is nothing to watch, and no timer runs. */
static void nothing_to_watch(void **state)
{
    struct rig r;

    (void)state;
    rig_begin(&r, SLOW);
    status_is(&r, "\"certificate\":null");
    rig_end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages),
        cmocka_unit_test(told_once_a_stage),
        cmocka_unit_test(doubt),
        cmocka_unit_test(from_far_to_the_end_and_renewed),
        cmocka_unit_test(told_at_the_start),
        cmocka_unit_test(a_clock_that_is_not_set),
        cmocka_unit_test(files_that_cannot_be_read),
        cmocka_unit_test(a_collection_of_authorities_is_not_watched),
        cmocka_unit_test(nothing_to_watch),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
