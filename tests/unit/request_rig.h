/* A platform that asks things of the running pipeline, for test_app_request_desk.c and test_app_request_hard.c. */
#ifndef RG_TESTS_REQUEST_RIG_H
#define RG_TESTS_REQUEST_RIG_H

#include "app_rig.h"

#define MAY_ALL (SITE_MAY_ACK | SITE_MAY_SHELVE | SITE_MAY_BACKFILL | SITE_MAY_READ)
/* Opens it anew with what this uplink may. */
static inline void begin(struct rig *r, const char *text, unsigned may)
{
    rig_begin(r, text);
    assert_int_equal(pipeline_close(&r->pipeline), RG_OK);
    r->uplink.may = may;
    rig_open(r);
    pass(r, 1000);
}

static inline void say(struct rig *r, const char *text)
{
    assert_true(support_broker_send(
        r->broker,
        &(struct support_incoming){.id = TRANSPORT_COMMAND, .payload = text, .length = strlen(text)}));
}

/* The n-th answer on `reply`, from 0; NULL: there is none. */
static inline const struct support_message *answer(const struct rig *r, size_t n)
{
    for (size_t i = 0; i < r->broker->count; i++) {
        if (strcmp(r->broker->messages[i].topic, "root/reply") == 0 && n-- == 0)
            return &r->broker->messages[i];
    }
    return NULL;
}

static inline size_t answers(const struct rig *r)
{
    return seen(r, "root/reply", "", NULL);
}

#define HEAD "{\"v\":1,\"ent\":\"91350100M000100Y43\",\"gw\":\"gw-01\","

/* Says it, and awaits this as the last answer. */
static inline void asks(struct rig *r, const char *text, const char *expected)
{
    const size_t before = answers(r);
    const struct support_message *m;

    say(r, text);
    for (int i = 0; i < 500 && answers(r) == before; i++)
        pass(r, 10);
    m = answer(r, before);
    if (!m)
        fail_msg("no answer to %s", text);
    assert_int_equal(answers(r), before + 1);
    if (strncmp(m->payload, HEAD, strlen(HEAD)) != 0 || !strstr(m->payload, expected))
        fail_msg("to %s\nis  %s\nnot %s", text, m->payload, expected);
}

static inline int64_t number_behind(const char *text, const char *key)
{
    const char *at = strstr(text, key);

    assert_non_null(at);
    return strtoll(at + strlen(key), NULL, 10);
}

static inline size_t events(struct rig *r, const char *text)
{
    size_t count = 0;

    pass(r, 1000);
    for (size_t i = 0; i < r->broker->count; i++) {
        const struct support_message *m = &r->broker->messages[i];

        if (strcmp(m->topic, "root/event") != 0)
            continue;
        for (const char *p = strstr(m->payload, text); p; p = strstr(p + 1, text))
            count++;
    }
    return count;
}

#endif
