/* LINK rg_output */
/* One output's state machine: every state, every input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "output/drive.h"

#define ASSERT_MS 10000
#define READY_MS 1000 /* when the scripts begin, too */

/* A script is words in a row; what happens is told in words in a row.
 *   on off         is wanted          next     hands over: W1 W0 R, with ! when urgent, - when there is nothing
 *   done           the write          0 1 x    what was read back (x: neither)      refused mute
 *   doubt          another output of its module was mute
 *   +N             N ms pass          tick     lets time alone decide
 *   stop0 stop1 keep   release        resume   inherit   another configuration takes it on
 *   state          the phase, with what is due after how many ms, and what is known */
struct bed {
    struct drive d;
    struct rg_random random;
    struct moment now;
    char told[512];
};

static void RG_PRINTF(2, 3) say(struct bed *b, const char *format, ...)
{
    size_t length = strlen(b->told);
    va_list args;

    if (length > 0)
        b->told[length++] = ' ';
    va_start(args, format);
    assert_true((size_t)vsnprintf(b->told + length, sizeof b->told - length, format, args) <
                sizeof b->told - length);
    va_end(args);
}

static void say_news(struct bed *b, enum drive_news news)
{
    static const char *const words[] = {NULL, "confirmed", "switched", "otherwise", "fault"};

    if (words[news])
        say(b, "%s", words[news]);
}

static void say_state(struct bed *b)
{
    static const char *const phases[] = {"write", "writing", "read", "reading", "released"};
    int64_t due = drive_due_ms(&b->d);

    if (due == INT64_MAX)
        say(b, "%s", phases[b->d.phase]);
    else
        say(b, "%s+%d", phases[b->d.phase], (int)(due - b->now.mono_ms));
    say(b, "%s%s%s", b->d.sure ? "sure" : "unsure", b->d.faulty ? " faulty" : "",
        b->d.known ? b->d.on ? " is-on" : " is-off" : "");
}

static bool answer_word(struct bed *b, const char *word)
{
    static const struct {
        const char *word;
        enum drive_answer answer;
    } words[] = {{"done", DRIVE_DONE},     {"0", DRIVE_READS_OFF},     {"1", DRIVE_READS_ON},
                 {"x", DRIVE_READS_OTHER}, {"refused", DRIVE_REFUSED}, {"mute", DRIVE_MUTE}};

    for (size_t i = 0; i < RG_COUNT(words); i++) {
        if (strcmp(word, words[i].word) == 0) {
            say_news(b, drive_answer(&b->d, words[i].answer, b->now, &b->random));
            return true;
        }
    }
    return false;
}

static void next_word(struct bed *b)
{
    struct drive_action action;

    if (!drive_next(&b->d, b->now, &action))
        say(b, "-");
    else if (action.write)
        say(b, "W%d%s", action.on, action.urgent ? "!" : "");
    else
        say(b, "R%s", action.urgent ? "!" : "");
}

static void play_word(struct bed *b, const char *word)
{
    int ms;

    if (sscanf(word, "+%d", &ms) == 1) {
        b->now.mono_ms += ms;
        b->now.wall_ms += ms;
    } else if (strcmp(word, "on") == 0 || strcmp(word, "off") == 0) {
        drive_want(&b->d, word[1] == 'n', b->now);
    } else if (strcmp(word, "next") == 0) {
        next_word(b);
    } else if (strcmp(word, "doubt") == 0) {
        say_news(b, drive_doubt(&b->d, b->now));
    } else if (strcmp(word, "tick") == 0) {
        say_news(b, drive_tick(&b->d, b->now));
    } else if (strcmp(word, "keep") == 0) {
        drive_release(&b->d, OUTPUT_STOP_KEEP, b->now);
    } else if (strcmp(word, "stop0") == 0 || strcmp(word, "stop1") == 0) {
        drive_release(&b->d, word[4] == '1' ? OUTPUT_STOP_ON : OUTPUT_STOP_OFF, b->now);
    } else if (strcmp(word, "resume") == 0) {
        drive_resume(&b->d, b->now);
    } else if (strcmp(word, "inherit") == 0 || strcmp(word, "pass") == 0) {
        struct drive old = b->d;

        drive_inherit(&b->d, &old, ASSERT_MS, word[0] == 'p', b->now);
    } else if (strcmp(word, "state") == 0) {
        say_state(b);
    } else if (!answer_word(b, word)) {
        fail_msg("no such word: %s", word);
    }
}

static void play(struct bed *b, const char *script)
{
    char copy[512], *rest = NULL;

    assert_true(strlen(script) < sizeof copy);
    strcpy(copy, script);
    for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        play_word(b, word);
}

#define SETTLED_OFF "next done next 0 "         /* W0! R! confirmed */
#define SETTLED_ON "on next done next 1 "       /* W1! R! confirmed */
#define FAULTY "next mute next mute next mute " /* W0! W0! W0! fault */
#define SAID_OFF "W0! R! confirmed "
#define SAID_ON "W1! R! confirmed "
#define SAID_FAULTY "W0! W0! W0! fault "

static const struct row {
    const char *script, *told;
} rows[] = {
    /* The start: nothing is known, the wanted state is written, whatever the module holds. */
    {"state next next state", "write+0 unsure W0! - writing unsure"},
    {"on next done state", "W1! read+0 unsure"},
    {SETTLED_OFF "state", SAID_OFF "read+10000 sure is-off"},
    {SETTLED_ON "state", SAID_ON "read+10000 sure is-on"},

    /* WRITE: waits to be handed over. */
    {"on off next", "W0!"},
    {"doubt state next", "write+0 unsure W0!"},
    {"done 0 1 x refused mute state", "write+0 unsure"}, /* answers that nobody asked for */
    {"+9999 tick +1 tick state", "fault write+-10000 unsure faulty"},

    /* WRITING. */
    {"next on done state next", "W0! write+0 unsure W1!"},
    {"next on off done state", "W0! read+0 unsure"}, /* changed, and back: no more writing than needed */
    {"next mute state", "W0! write+0 unsure"},       /* the gap is the module's */
    {"next on mute state next", "W0! write+0 unsure W1!"},
    {"next doubt state", "W0! writing unsure"},
    {"next +10000 tick state", "W0! fault writing unsure faulty"}, /* no word at all */
    {"next 0 state", "W0! write+0 unsure"},                        /* a reading is no answer to a write */
    {"next mute mute state", "W0! write+0 unsure"},                /* the second answers nothing */

    /* READ, right after a write and later. */
    {SETTLED_OFF "+9999 next +1 next state", SAID_OFF "- R reading sure is-off"},
    {SETTLED_OFF "on state next", SAID_OFF "write+0 unsure is-off W1!"},
    {SETTLED_OFF "off state", SAID_OFF "read+10000 sure is-off"},
    {SETTLED_OFF "doubt state next", SAID_OFF "write+0 unsure is-off W0!"},
    {SETTLED_OFF "+5000 tick state", SAID_OFF "read+5000 sure is-off"},
    {SETTLED_OFF "+100000 tick state",
     SAID_OFF "read+-90000 sure is-off"}, /* sure is no doubt, however late */
    {"next done on state next", "W0! write+0 unsure W1!"},

    /* READING. */
    {SETTLED_OFF "+10000 next 0 state", SAID_OFF "R read+10000 sure is-off"},
    {SETTLED_OFF "+10000 next 1 state next done next 0 state",
     SAID_OFF "R otherwise write+0 unsure is-on W0! R! switched read+10000 sure is-off"},
    {SETTLED_OFF "+10000 next x state next", SAID_OFF "R otherwise write+0 unsure W0!"},
    {SETTLED_OFF "+10000 next mute state next", SAID_OFF "R write+0 unsure is-off W0!"},
    {SETTLED_OFF "+10000 next done state", SAID_OFF "R write+0 unsure is-off"}, /* no answer to a read-back */
    {SETTLED_OFF "+10000 next on 0 state next done next 1 state",
     SAID_OFF "R write+0 unsure is-off W1! R! switched read+10000 sure is-on"},
    {SETTLED_OFF "+10000 next on 1 state", SAID_OFF "R write+0 unsure is-on"}, /* written all the same */
    {SETTLED_OFF "+10000 next on off 0 state", SAID_OFF "R read+10000 sure is-off"},
    {SETTLED_OFF "+10000 next on off 1 state", SAID_OFF "R otherwise write+0 unsure is-on"},
    {SETTLED_OFF "+10000 next on mute next", SAID_OFF "R W1!"},
    {SETTLED_OFF "+10000 next doubt state", SAID_OFF "R reading sure is-off"},

    /* Failures of its own: gaps that grow from at most 1 s, and after three a fault. */
    {"next refused next +1000 next refused next +2000 next refused state",
     "W0! - W0! - W0! fault write+2735 unsure faulty"},
    {"on next done next 0 next +1000 next done next 0 next +2000 next done next 0",
     "W1! R! - W1! R! - W1! R! fault"}, /* it takes the write and does not hold it */
    {"next done next x next +1000 next", "W0! R! - W0!"},
    {"next refused on next", "W0! W1!"},  /* a change does not wait for the gap */
    {"next refused doubt next", "W0! -"}, /* what its module does takes nothing off its gap */

    /* Failures of its module, seen by itself or by others. */
    {"doubt doubt doubt state", "fault write+0 unsure faulty"},
    {"next mute doubt doubt", "W0! fault"},
    {"doubt doubt next done next 0 doubt doubt state", SAID_OFF "write+0 unsure is-off"},

    /* A fault: it is tried on, among the polls; over when read back as wanted. */
    {FAULTY "state next", SAID_FAULTY "write+0 unsure faulty W0"},
    {FAULTY "on next", SAID_FAULTY "W1!"},
    {FAULTY "tick doubt", SAID_FAULTY},
    {FAULTY "next done state next 0 state",
     SAID_FAULTY "W0 read+0 unsure faulty R! confirmed read+10000 sure is-off"},
    {FAULTY "next done next mute state", SAID_FAULTY "W0 R! write+0 unsure faulty"},
    {FAULTY "next done next 1 state", SAID_FAULTY "W0 R! write+781 unsure faulty is-on"},
    {FAULTY "next done next 0 next doubt doubt doubt", SAID_FAULTY "W0 R! confirmed - fault"},
    /* Ten seconds count from the last good word of it. */
    {"next +9000 done +9000 tick +1000 tick", "W0! fault"},

    /* Released: brought to its state for a stop. */
    {SETTLED_ON "stop0 state next done state next", SAID_ON "write+0 sure is-on W0! released sure is-on -"},
    {SETTLED_OFF "stop1 next done state", SAID_OFF "W1! released sure is-off"},
    {SETTLED_OFF "stop0 next done state", SAID_OFF "W0! released sure is-off"},
    {SETTLED_ON "stop0 next mute next mute state", SAID_ON "W0! W0! released sure is-on"},
    {SETTLED_ON "stop0 next refused next done state", SAID_ON "W0! W0! released sure is-on"},
    {SETTLED_ON "stop0 doubt doubt state", SAID_ON "released sure is-on"},
    {FAULTY "stop0 next mute state", SAID_FAULTY "W0! released unsure faulty"},
    {SETTLED_ON "keep state", SAID_ON "released sure is-on"},
    {SETTLED_ON "+10000 next keep state 1 state", SAID_ON "R reading sure is-on released sure is-on"},
    {"on keep next done state", "W1! released unsure"}, /* not brought there yet */
    {"on next keep done state", "W1! released unsure"}, /* under way */
    {"on next stop0 done state next done state", "W1! write+0 unsure W0! released unsure"},
    {"on next stop1 done state", "W1! released unsure"},
    {SETTLED_ON "+10000 next stop0 1 next done state", SAID_ON "R W0! released sure is-on"},
    {SETTLED_ON "stop0 off on stop1 next done next", SAID_ON "W0! -"}, /* nothing else counts any more */
    {SETTLED_ON "stop0 +20000 tick doubt tick next", SAID_ON "W0!"},

    /* In use after all. */
    {SETTLED_ON "resume state", SAID_ON "read+10000 sure is-on"},
    {SETTLED_ON "stop0 next done resume state next", SAID_ON "W0! write+0 unsure is-on W1!"},
    {SETTLED_ON "stop0 next resume done state next", SAID_ON "W0! write+0 unsure is-on W1!"},
    {SETTLED_ON "stop0 off next done resume next done next 0 state",
     SAID_ON "W0! W0! R! switched read+10000 sure is-off"},

    /* Under another configuration. */
    {SETTLED_ON "+4000 inherit state", SAID_ON "read+6000 sure is-on"},
    {SETTLED_ON "+10000 next inherit state next", SAID_ON "R write+0 unsure is-on W1!"},
    {"on next inherit state next", "W1! write+0 unsure W1!"},
    {"on next pass next done next 1 state", "W1! - R! confirmed read+10000 sure is-on"},
    {SETTLED_ON "+10000 next pass next 1 state", SAID_ON "R - read+10000 sure is-on"},
    {SETTLED_ON "+10000 next pass off 1 next", SAID_ON "R W0!"},
    {SETTLED_ON "stop0 next pass done state next", SAID_ON "W0! write+0 unsure is-on W1!"},
    {FAULTY "inherit state", SAID_FAULTY "write+0 unsure faulty"},
    {SETTLED_ON "stop0 next inherit state next", SAID_ON "W0! write+0 unsure is-on W1!"},
};

static void every_state_and_input(void **state)
{
    unsigned failed = 0;

    (void)state;
    for (size_t i = 0; i < RG_COUNT(rows); i++) {
        struct bed b = {.now = {READY_MS, READY_MS + 7000000}};
        size_t length = strlen(rows[i].told);

        random_seed(&b.random, 1);
        drive_init(&b.d, ASSERT_MS, READY_MS);
        play(&b, rows[i].script);
        while (length > 0 && rows[i].told[length - 1] == ' ')
            length--;
        if (strlen(b.told) == length && strncmp(b.told, rows[i].told, length) == 0)
            continue;
        print_error("row %zu: %s\n  wanted: %s\n  told:   %s\n", i, rows[i].script, rows[i].told, b.told);
        failed++;
    }
    assert_int_equal(failed, 0);
}

/* A device that must not be asked for some time after the start. */
static void nothing_is_asked_before_it_is_ready(void **state)
{
    struct bed b = {.now = {500, 500}};

    (void)state;
    random_seed(&b.random, 1);
    drive_init(&b.d, ASSERT_MS, 20000);
    play(&b, "state on next +15000 tick next state +4499 next +1 next +5000 tick +5000 tick");
    assert_string_equal(b.told, "write+19500 unsure - - write+4500 unsure - W1! fault");
}

static void the_counters_count(void **state)
{
    struct bed b = {.now = {READY_MS, READY_MS}};

    (void)state;
    random_seed(&b.random, 1);
    drive_init(&b.d, ASSERT_MS, READY_MS);
    play(&b, "next mute next done next 0 +10000 next 1 next refused +1000 next done next 0");
    assert_int_equal(b.d.writes, 2);
    assert_int_equal(b.d.errors, 2);
    assert_int_equal(b.d.otherwise, 1);
    assert_int_equal(b.d.failures, 0);
}

static void since_is_when_the_state_was_first_read(void **state)
{
    struct bed b = {.now = {READY_MS, 5000}};

    (void)state;
    random_seed(&b.random, 1);
    drive_init(&b.d, ASSERT_MS, READY_MS);
    play(&b, SETTLED_OFF "+10000 next 0");
    assert_int_equal(b.d.since.wall_ms, 5000);
    assert_int_equal(b.d.read.wall_ms, 15000);
    play(&b, "+10000 next 1");
    assert_int_equal(b.d.since.wall_ms, 25000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_and_input),
        cmocka_unit_test(nothing_is_asked_before_it_is_ready),
        cmocka_unit_test(the_counters_count),
        cmocka_unit_test(since_is_when_the_state_was_first_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
