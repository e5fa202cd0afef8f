/* LINK rg_base Threads::Threads; LABEL tsan */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/log.h"

#define THREADS 4
#define LINES 200

/* Standard error into a file, so that nothing that is written can block. */
struct capture {
    int saved;
    int file;
    char *text;
};

static void capture_begin(struct capture *c)
{
    char path[] = "/tmp/riskgate-log-XXXXXX";

    c->text = NULL;
    c->file = mkstemp(path);
    assert_true(c->file >= 0);
    assert_int_equal(unlink(path), 0);
    c->saved = dup(STDERR_FILENO);
    assert_true(c->saved >= 0);
    assert_true(dup2(c->file, STDERR_FILENO) >= 0);
}

static const char *capture_end(struct capture *c)
{
    off_t size;

    assert_true(dup2(c->saved, STDERR_FILENO) >= 0);
    size = lseek(c->file, 0, SEEK_END);
    assert_true(size >= 0);
    c->text = calloc((size_t)size + 1, 1);
    assert_non_null(c->text);
    assert_true(pread(c->file, c->text, (size_t)size, 0) == size);
    (void)close(c->file);
    (void)close(c->saved);
    return c->text;
}

/* As systemd does it: the variable names the file that standard error is. */
static void name_journal(const struct capture *c, unsigned wrong_by)
{
    char value[64];
    struct stat st;

    assert_int_equal(fstat(c->file, &st), 0);
    (void)snprintf(value, sizeof value, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino + wrong_by);
    assert_int_equal(setenv("JOURNAL_STREAM", value, 1), 0);
}

static int reset(void **state)
{
    (void)state;
    (void)unsetenv("JOURNAL_STREAM");
    log_set_level(LOG_LEVEL_INFO);
    return 0;
}

static void a_line_has_time_and_level(void **state)
{
    struct capture c;
    const char *text;
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, ms = 0, end = 0;

    (void)state;
    capture_begin(&c);
    log_warning("bus %s: %d errors", "shop", 3);
    text = capture_end(&c);
    assert_int_equal(sscanf(text, "%4d-%2d-%2d %2d:%2d:%2d.%3d %n", &year, &month, &day, &hour, &minute,
                            &second, &ms, &end),
                     7);
    assert_string_equal(text + end, "warning bus shop: 3 errors\n");
    free(c.text);
}

static void the_journal_gets_priorities(void **state)
{
    struct capture c;

    (void)state;
    log_set_level(LOG_LEVEL_DEBUG);
    capture_begin(&c);
    name_journal(&c, 0);
    log_error("e");
    log_warning("w");
    log_info("i");
    log_debug("d");
    assert_string_equal(capture_end(&c), "<3>e\n<4>w\n<6>i\n<7>d\n");
    free(c.text);
}

static void a_variable_left_over_is_not_believed(void **state)
{
    struct capture c;

    (void)state;
    capture_begin(&c);
    name_journal(&c, 1);
    log_error("e");
    assert_null(strchr(capture_end(&c), '<'));
    assert_non_null(strstr(c.text, " error e\n"));
    free(c.text);
}

static void one_event_stays_one_line(void **state)
{
    struct capture c;

    (void)state;
    capture_begin(&c);
    name_journal(&c, 0);
    log_info("a\nb\tc\x1b[31m\x7f 可燃");
    assert_string_equal(capture_end(&c), "<6>a?b?c?[31m? 可燃\n");
    free(c.text);
}

static struct {
    bool refuse;
    unsigned count;
    int priority;
    char text[LOG_LINE_MAX], device[65];
} sunk;

static bool sink_cb(int priority, const struct log_about *about, const char *text)
{
    sunk.count++;
    sunk.priority = priority;
    (void)snprintf(sunk.text, sizeof sunk.text, "%s", text);
    (void)snprintf(sunk.device, sizeof sunk.device, "%s", about->device ? about->device : "-");
    return !sunk.refuse;
}

/* The sink is the journal's: a line for a file or a terminal does not go there. */
static void the_sink_gets_what_it_is_about(void **state)
{
    const struct log_about about = {.device = "gas-1"};
    struct capture c;

    (void)state;
    log_set_sink(sink_cb);
    capture_begin(&c);
    log_tell(LOG_LEVEL_WARNING, &about, "device %s: silent", "gas-1");
    name_journal(&c, 0);
    log_tell(LOG_LEVEL_WARNING, &about, "device %s: mute\n", "gas-1");
    assert_int_equal(sunk.count, 1);
    assert_int_equal(sunk.priority, 4);
    assert_string_equal(sunk.text, "device gas-1: mute?");
    assert_string_equal(sunk.device, "gas-1");
    log_error("plain");
    assert_string_equal(sunk.text, "plain");
    assert_string_equal(sunk.device, "-");
    log_tell(LOG_LEVEL_DEBUG, &about, "not at this level");
    assert_int_equal(sunk.count, 2);
    /* It cannot take it: then as a line. */
    sunk.refuse = true;
    log_tell(LOG_LEVEL_ERROR, &about, "device gas-1: lost");
    log_set_sink(NULL);
    assert_non_null(strstr(capture_end(&c), " warning device gas-1: silent\n<3>device gas-1: lost\n"));
    free(c.text);
}

static void no_secret_gets_into_it(void **state)
{
    static const struct {
        const char *text, *wanted;
    } cases[] = {
        {"mqtt://user:geheim@host:1883 refused", "<6>mqtt://***********@host:1883 refused\n"},
        {"`mqtts://user@host`, mqtt://a:p@ss/w@h", "<6>`mqtts://****@host`, mqtt://********@h\n"},
        {"two: mqtt://a:b@c and 'mqtt://d:e@f'", "<6>two: mqtt://***@c and 'mqtt://***@f'\n"},
        {"mqtt://host:1883 and a@b", "<6>mqtt://host:1883 and a@b\n"},
        {"unknown key: Password: geheim", "<6>unknown key: Password:*******\n"},
        {"{\"passphrase\" : \"geheim\"}", "<6>{\"passphrase\" :**********\n"},
        {"PWD=geheim", "<6>PWD=******\n"},
        {"password file `/etc/x`: there is no such file",
         "<6>password file `/etc/x`: there is no such file\n"},
        {"password_file: /etc/x", "<6>password_file: /etc/x\n"},
    };

    (void)state;
    for (size_t i = 0; i < RG_COUNT(cases); i++) {
        struct capture c;

        capture_begin(&c);
        name_journal(&c, 0);
        log_info("%s", cases[i].text);
        assert_string_equal(capture_end(&c), cases[i].wanted);
        free(c.text);
    }
}

static void a_long_line_is_cut(void **state)
{
    char *longest = malloc(3 * LOG_LINE_MAX + 1);
    struct capture c;
    const char *text;
    size_t length;

    (void)state;
    assert_non_null(longest);
    for (size_t i = 0; i < LOG_LINE_MAX; i++)
        memcpy(longest + 3 * i, "€", 3);
    longest[(size_t)3 * LOG_LINE_MAX] = '\0';
    /* Each way that the cut may fall into a character. */
    for (int shift = 0; shift < 3; shift++) {
        capture_begin(&c);
        name_journal(&c, 0);
        log_info("%.*s%s", shift, "xx", longest);
        text = capture_end(&c);
        length = strlen(text);
        assert_in_range(length, LOG_LINE_MAX - 3, LOG_LINE_MAX);
        assert_string_equal(text + length - 7, "€...\n");
        free(c.text);
    }
    free(longest);
}

static void the_level_is_kept(void **state)
{
    enum log_level level = LOG_LEVEL_INFO;
    struct capture c;

    (void)state;
    capture_begin(&c);
    name_journal(&c, 0);
    log_set_level(LOG_LEVEL_WARNING);
    log_info("not seen");
    log_debug("not seen either");
    log_warning("seen");
    assert_string_equal(capture_end(&c), "<4>seen\n");
    free(c.text);
    assert_int_equal(log_get_level(), LOG_LEVEL_WARNING);
    assert_int_equal(log_level_parse("debug", &level), RG_OK);
    assert_int_equal(level, LOG_LEVEL_DEBUG);
    assert_int_equal(log_level_parse("loud", &level), RG_ENOTFOUND);
    assert_string_equal(log_level_name(LOG_LEVEL_ERROR), "error");
    for (int i = LOG_LEVEL_ERROR; i <= (int)LOG_LEVEL_DEBUG; i++) {
        assert_int_equal(log_level_parse(log_level_name((enum log_level)i), &level), RG_OK);
        assert_int_equal(level, i);
    }
}

static void errno_is_left_alone(void **state)
{
    struct capture c;

    (void)state;
    capture_begin(&c);
    name_journal(&c, 0);
    errno = ENOENT;
    log_info("%m");
    assert_int_equal(errno, ENOENT);
    assert_string_equal(capture_end(&c), "<6>No such file or directory\n");
    free(c.text);
}

static void *write_lines(void *arg)
{
    for (int i = 0; i < LINES; i++)
        log_info("%s", (const char *)arg);
    return NULL;
}

static void lines_of_threads_do_not_mix(void **state)
{
    static char texts[THREADS][201];
    size_t counts[THREADS] = {0};
    pthread_t threads[THREADS];
    struct capture c;
    char *rest;

    (void)state;
    capture_begin(&c);
    /* As the journal's socket or a terminal: each write goes behind all others. */
    assert_int_equal(fcntl(c.file, F_SETFL, O_APPEND), 0);
    name_journal(&c, 0);
    for (size_t i = 0; i < THREADS; i++) {
        memset(texts[i], (int)('a' + i), sizeof texts[i] - 1);
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, texts[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    (void)capture_end(&c);
    for (char *line = strtok_r(c.text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        size_t who = (size_t)(line[3] - 'a');

        assert_true(who < THREADS);
        assert_string_equal(line + 3, texts[who]);
        counts[who]++;
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(counts[i], LINES);
    free(c.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_line_has_time_and_level, reset),
        cmocka_unit_test_setup(the_journal_gets_priorities, reset),
        cmocka_unit_test_setup(a_variable_left_over_is_not_believed, reset),
        cmocka_unit_test_setup(one_event_stays_one_line, reset),
        cmocka_unit_test_setup(the_sink_gets_what_it_is_about, reset),
        cmocka_unit_test_setup(no_secret_gets_into_it, reset),
        cmocka_unit_test_setup(a_long_line_is_cut, reset),
        cmocka_unit_test_setup(the_level_is_kept, reset),
        cmocka_unit_test_setup(errno_is_left_alone, reset),
        cmocka_unit_test_setup(lines_of_threads_do_not_mix, reset),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
