/* LINK rg_test_support rg_daemon rg_loop_virtual */
/* The operator's reads and writes between the polls: step by step, with who asks going away, reloads and the end at every step. */
#include "app_rig.h"

#include "app/command_probe.h"

/* The control socket's side, so that answers can be looked at. */
struct control_call {
    void (*gone)(void *arg);
    void *arg;
    unsigned answers;
    char text[512]; /* of the last one */
};

void control_defer(struct control_call *call, void (*gone)(void *arg), void *arg)
{
    assert_null(call->gone);
    call->gone = gone;
    call->arg = arg;
}

void control_answer(struct control_call *call, const struct jsonw *result)
{
    assert_non_null(call->gone);
    call->gone = NULL;
    call->answers++;
    assert_int_equal(jsonw_error(result), RG_OK);
    (void)snprintf(call->text, sizeof call->text, "%s", result->text);
}

void control_answer_error(struct control_call *call, const char *text)
{
    assert_non_null(call->gone);
    call->gone = NULL;
    call->answers++;
    (void)snprintf(call->text, sizeof call->text, "error: %s", text);
}

/* app.c is part of the library and refers to them. */
enum rg_err control_create(struct loop *loop, const char *path, const struct control_rights *rights,
                           control_command_cb cb, void *arg, struct control **out, int *reason)
{
    (void)loop;
    (void)path;
    (void)rights;
    (void)cb;
    (void)arg;
    (void)out;
    (void)reason;
    return RG_EUNSUPPORTED;
}

enum rg_err control_grant(struct control *c, const struct control_rights *rights, int *reason)
{
    (void)c;
    (void)rights;
    (void)reason;
    return RG_OK;
}

bool control_may_act(const struct control_call *call)
{
    (void)call;
    return true;
}

void control_destroy(struct control *c)
{
    (void)c;
}

static void hang_up(struct control_call *call)
{
    void (*gone)(void *arg) = call->gone;

    assert_non_null(gone);
    call->gone = NULL;
    gone(call->arg);
}

/* One device of one holding register that remembers what is written; write-only from 100 on. */
struct bench {
    struct rig rig;
    struct control_call call;
    uint16_t word;
    unsigned reads, writes;
    enum driver_result outcome; /* of writes */
};

static struct bench *bench;

static void raw_cb(void *arg, uint32_t bus, const struct driver_raw *ask, struct driver_raw_answer *answer)
{
    (void)arg;
    (void)bus;
    if (ask->write) {
        bench->writes++;
        answer->result = bench->outcome;
        if (answer->result == DRIVER_OK)
            bench->word = ask->values[0];
        if (answer->result == DRIVER_EXCEPTION) {
            answer->exception = 4;
            (void)snprintf(answer->detail, sizeof answer->detail, "server device failure");
        }
        return;
    }
    bench->reads++;
    if (ask->address >= 100) {
        *answer = (struct driver_raw_answer){
            .result = DRIVER_EXCEPTION, .exception = 2, .detail = "illegal data address"};
        return;
    }
    answer->count = ask->count;
    for (size_t i = 0; i < ask->count; i++)
        answer->values[i] = bench->word;
}

static int begin(void **state)
{
    bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    rig_begin_raw(&bench->rig, PLANT, raw_cb);
    bench->word = 12;
    pass(&bench->rig, 100);
    *state = bench;
    return 0;
}

static int end(void **state)
{
    struct bench *b = *state;

    rig_end(&b->rig);
    free(b);
    bench = NULL;
    return 0;
}

static enum rg_err ask(struct bench *b, const char *command, const char *text, char error[256])
{
    const struct probe_peer peer = {&b->call, 1000};
    struct json *json = NULL;
    enum rg_err err;

    assert_int_equal(json_parse(text, strlen(text), 1 << 16, &json), RG_OK);
    error[0] = '\0';
    err = strcmp(command, "raw") == 0 ? command_raw(&b->rig.pipeline, peer, json, error, 256)
                                      : command_write(&b->rig.pipeline, peer, json, error, 256);
    json_free(json);
    return err;
}

#define READ "{\"bus\":\"b1\",\"unit\":1,\"read\":{\"holding\":3,\"count\":2}}"
#define WRITE                                                                                                \
    "{\"bus\":\"b1\",\"unit\":1,\"by\":\"\346\235\216\345\233\233\",\"write\":{\"holding\":3,\"values\":["   \
    "17]}}"

/* Events of kind command that the platform got. */
static size_t told(struct bench *b, const char *text)
{
    pass(&b->rig, 3000);
    return seen(&b->rig, "root/event", text, NULL);
}

static void a_read(void **state)
{
    struct bench *b = *state;
    char error[256];

    assert_int_equal(ask(b, "raw", READ, error), RG_OK);
    assert_int_equal(b->call.answers, 0);
    pass(&b->rig, 1000);
    assert_int_equal(b->call.answers, 1);
    assert_string_equal(b->call.text,
                        "{\"result\":\"ok\",\"exception\":null,\"detail\":null,\"values\":[12,12]}");
    assert_int_equal(
        ask(b, "raw", "{\"bus\":\"b1\",\"unit\":1,\"read\":{\"holding\":100,\"count\":2}}", error), RG_OK);
    pass(&b->rig, 1000);
    assert_string_equal(b->call.text, "{\"result\":\"exception\",\"exception\":2,\"detail\":\"illegal data "
                                      "address\",\"values\":null}");
    assert_int_equal(told(b, "\"kind\":\"command\""), 0); /* a read changes nothing */
}

static void a_write(void **state)
{
    struct bench *b = *state;
    char error[256];

    assert_int_equal(ask(b, "write", WRITE, error), RG_OK);
    pass(&b->rig, 1000);
    assert_string_equal(b->call.text,
                        "{\"result\":\"ok\",\"exception\":null,\"detail\":null,\"old\":[12],\"new\":[17]}");
    assert_int_equal(b->word, 17);
    assert_int_equal(b->reads, 2);
    assert_int_equal(told(b, "\"kind\":\"command\",\"command\":\"write\",\"by\":\"\346\235\216\345\233\233\","
                             "\"uid\":1000,\"bus\":\"b1\",\"unit\":1,\"device\":\"d\",\"space\":\"holding\","
                             "\"address\":3,\"values\":[17],\"old\":[12],\"new\":[17],\"outcome\":\"ok\","
                             "\"exception\":null,\"detail\":null"),
                     1);
}

static void a_write_that_is_refused(void **state)
{
    struct bench *b = *state;
    char error[256];

    b->outcome = DRIVER_EXCEPTION;
    assert_int_equal(ask(b, "write", WRITE, error), RG_OK);
    pass(&b->rig, 1000);
    assert_string_equal(b->call.text, "{\"result\":\"exception\",\"exception\":4,\"detail\":\"server device "
                                      "failure\",\"old\":[12],\"new\":null}");
    assert_int_equal(told(b, "\"old\":[12],\"new\":null,\"outcome\":\"exception\",\"exception\":4,\"detail\":"
                             "\"server device failure\""),
                     1);
}

static void a_register_that_cannot_be_read(void **state)
{
    struct bench *b = *state;
    char error[256];

    assert_int_equal(
        ask(b, "write",
            "{\"bus\":\"b1\",\"unit\":1,\"by\":\"x\",\"write\":{\"holding\":100,\"values\":[17]}}", error),
        RG_OK);
    pass(&b->rig, 1000);
    assert_string_equal(b->call.text,
                        "{\"result\":\"ok\",\"exception\":null,\"detail\":null,\"old\":null,\"new\":null}");
    assert_int_equal(b->word, 17);
}

/* Nothing is written for somebody who did not wait. */
static void who_asks_goes_away_before_the_write(void **state)
{
    struct bench *b = *state;
    char error[256];

    assert_int_equal(ask(b, "write", WRITE, error), RG_OK);
    hang_up(&b->call);
    assert_int_equal(told(b, "\"kind\":\"command\""), 0);
    assert_int_equal(b->writes, 0);
    assert_int_equal(b->word, 12);
    assert_int_equal(b->call.answers, 0);
}

static void who_reads_goes_away(void **state)
{
    struct bench *b = *state;
    char error[256];

    assert_int_equal(ask(b, "raw", READ, error), RG_OK);
    hang_up(&b->call);
    pass(&b->rig, 1000);
    assert_int_equal(b->call.answers, 0);
}

/* The poll is taken away while it waits: it is answered, and a write that was not handed over is none. */
static void the_end_while_they_wait(void **state)
{
    struct bench *b = *state;
    char error[256];

    assert_int_equal(ask(b, "raw", READ, error), RG_OK);
    pipeline_halt(&b->rig.pipeline);
    assert_int_equal(b->call.answers, 1);
    assert_non_null(strstr(b->call.text, "\"result\":\"broken\""));
    assert_int_equal(ask(b, "raw", READ, error), RG_ESTATE);
}

static void the_end_in_the_middle_of_a_write(void **state)
{
    struct bench *b = *state;
    char error[256];

    assert_int_equal(ask(b, "write", WRITE, error), RG_OK);
    pipeline_halt(&b->rig.pipeline);
    assert_int_equal(b->call.answers, 1);
    assert_non_null(strstr(b->call.text, "nothing was written"));
    assert_int_equal(b->writes, 0);
}

/* The write itself is under way, and nothing can be read after it: what came of it is answered, and told. */
static void the_end_while_it_is_written(void **state)
{
    struct bench *b = *state;
    char error[256];

    assert_int_equal(ask(b, "write", WRITE, error), RG_OK);
    for (int i = 0; i < 10000 && b->writes == 0; i++)
        pass(&b->rig, 1);
    assert_int_equal(b->writes, 1);
    assert_int_equal(b->call.answers, 0);
    pipeline_halt(&b->rig.pipeline);
    assert_int_equal(b->call.answers, 1);
    assert_string_equal(b->call.text,
                        "{\"result\":\"ok\",\"exception\":null,\"detail\":null,\"old\":[12],\"new\":null}");
    assert_int_equal(told(b, "\"old\":[12],\"new\":null,\"outcome\":\"ok\""), 1);
}

/* It is carried out, then, and told all the same. */
static void who_asks_goes_away_during_the_write(void **state)
{
    struct bench *b = *state;
    char error[256];

    assert_int_equal(ask(b, "write", WRITE, error), RG_OK);
    for (int i = 0; i < 10000 && b->writes == 0; i++)
        pass(&b->rig, 1);
    assert_int_equal(b->call.answers, 0);
    hang_up(&b->call);
    assert_int_equal(told(b, "\"old\":[12],\"new\":[17],\"outcome\":\"ok\""), 1);
    assert_int_equal(b->call.answers, 0);
}

/* A broadcast is sent, and nothing is read. */
static void a_write_to_all_units(void **state)
{
    struct bench *b = *state;
    char error[256];

    b->rig.site.site.buses[0].kind = BUS_RTU;
    assert_int_equal(ask(b, "write",
                         "{\"bus\":\"b1\",\"unit\":0,\"by\":\"x\",\"write\":{\"coil\":3,\"values\":[1]}}",
                         error),
                     RG_OK);
    pass(&b->rig, 1000);
    assert_string_equal(b->call.text,
                        "{\"result\":\"ok\",\"exception\":null,\"detail\":null,\"old\":null,\"new\":null}");
    assert_int_equal(b->reads, 0);
    assert_int_equal(b->writes, 1);
    b->rig.site.site.buses[0].kind = BUS_TCP;
    assert_int_equal(told(b, "\"unit\":0,\"device\":null,\"space\":\"coil\""), 1);
}

/* As many as there is room for, and not one more; each is answered. */
static void too_many_at_once(void **state)
{
    static struct control_call calls[POLL_ERRANDS + 2];
    struct bench *b = *state;
    struct json *json = NULL;
    size_t taken = 0, answered = 0;
    char error[256];

    memset(calls, 0, sizeof calls);
    assert_int_equal(json_parse(READ, strlen(READ), 1 << 16, &json), RG_OK);
    for (size_t i = 0; i < RG_COUNT(calls); i++) {
        const struct probe_peer peer = {&calls[i], 0};

        taken += command_raw(&b->rig.pipeline, peer, json, error, sizeof error) == RG_OK;
    }
    json_free(json);
    assert_in_range(taken, POLL_ERRANDS, POLL_ERRANDS + 1); /* one may be under way */
    assert_non_null(strstr(error, "too much waits"));
    pass(&b->rig, 120000);
    for (size_t i = 0; i < RG_COUNT(calls); i++)
        answered += calls[i].answers;
    assert_int_equal(answered, taken);
}

static void what_there_is_on_a_bus(void **state)
{
    struct site_output output = {.name = "siren", .device = 0, .space = SPACE_COIL, .address = 3};
    struct bench *b = *state;
    struct site *site = &b->rig.site.site;
    struct json *json = NULL;
    char error[256] = "";
    struct jsonw w;

    site->outputs = &output;
    site->output_count = 1;
    jsonw_init(&w, 0);
    assert_int_equal(json_parse("{\"bus\":\"b1\"}", 12, 1 << 16, &json), RG_OK);
    assert_int_equal(command_bus(&b->rig.pipeline, json, &w, error, sizeof error), RG_OK);
    assert_string_equal(w.text,
                        "{\"name\":\"b1\",\"kind\":\"tcp\",\"place\":\"tcp 127.0.0.1:1502\",\"timeout_ms\":"
                        "1000,\"devices\":[{\"name\":\"d\",\"unit\":1}],\"outputs\":[{\"name\":\"siren\","
                        "\"unit\":1,\"space\":\"coil\",\"address\":3}]}");
    json_free(json);
    jsonw_reset(&w);
    assert_int_equal(json_parse("{\"bus\":\"b2\"}", 12, 1 << 16, &json), RG_OK);
    assert_int_equal(command_bus(&b->rig.pipeline, json, &w, error, sizeof error), RG_ENOTFOUND);
    assert_string_equal(error, "there is no bus b2");
    json_free(json);
    jsonw_free(&w);
    site->outputs = NULL;
    site->output_count = 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_read, begin, end),
        cmocka_unit_test_setup_teardown(a_write, begin, end),
        cmocka_unit_test_setup_teardown(a_write_that_is_refused, begin, end),
        cmocka_unit_test_setup_teardown(a_register_that_cannot_be_read, begin, end),
        cmocka_unit_test_setup_teardown(who_asks_goes_away_before_the_write, begin, end),
        cmocka_unit_test_setup_teardown(who_reads_goes_away, begin, end),
        cmocka_unit_test_setup_teardown(the_end_while_they_wait, begin, end),
        cmocka_unit_test_setup_teardown(the_end_in_the_middle_of_a_write, begin, end),
        cmocka_unit_test_setup_teardown(the_end_while_it_is_written, begin, end),
        cmocka_unit_test_setup_teardown(who_asks_goes_away_during_the_write, begin, end),
        cmocka_unit_test_setup_teardown(a_write_to_all_units, begin, end),
        cmocka_unit_test_setup_teardown(too_many_at_once, begin, end),
        cmocka_unit_test_setup_teardown(what_there_is_on_a_bus, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
