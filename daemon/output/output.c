#include "output/output.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/text.h"

#define DETAIL_MAX 120

struct output_slot {
    struct outputs *owner;
    const struct site_output *conf;
    uint32_t module; /* into outputs.modules */
    uint32_t next;   /* the next output of its module, in a ring */
    struct drive drive;
    enum level level;
    uint64_t announced; /* when it was last looked at */
    bool silenced;
    bool tested;
    int64_t test_end_ms; /* monotonic */
    char detail[DETAIL_MAX];
};

/* A device with outputs. */
struct module {
    uint32_t turn; /* the output that is asked first */
    bool busy;     /* one of its outputs has a write or read-back under way */
    struct backoff backoff;
    int64_t hold_ms; /* monotonic: not asked before, it did not answer; 0: it did */
};

struct outputs {
    const struct site *site;
    struct output_port port;
    struct rg_random random;
    struct output_slot *slots; /* [site.output_count] */
    size_t count;
    struct module *modules;
    size_t module_count;
    bool halted;
};

bool output_wanted(const struct output_wish *wish)
{
    return wish->tested || (wish->level != LEVEL_NONE && wish->level >= wish->from && !wish->silenced);
}

void *outputs_port_arg(const struct output_slot *slot)
{
    return slot->owner->port.arg;
}

/* ---- making ---- */

/* The outputs of a device form a ring; the device's module is that of its first one. */
static void join_module(struct outputs *o, uint32_t index, uint32_t *module_of)
{
    struct output_slot *slot = &o->slots[index];
    uint32_t *module = &module_of[slot->conf->device];

    if (*module == SITE_NONE) {
        *module = (uint32_t)o->module_count++;
        o->modules[*module] = (struct module){.turn = index};
        backoff_init(&o->modules[*module].backoff, DRIVE_RETRY_MS, slot->conf->assert_ms);
        slot->next = index;
    } else {
        struct output_slot *first = &o->slots[o->modules[*module].turn];

        slot->next = first->next;
        first->next = index;
        if (slot->conf->assert_ms < o->modules[*module].backoff.cap_ms)
            o->modules[*module].backoff.cap_ms = slot->conf->assert_ms;
    }
    slot->module = *module;
}

enum rg_err outputs_create(const struct site *site, const struct output_port *port, int64_t ready_ms,
                           uint64_t seed, struct outputs **out)
{
    struct outputs *o = calloc(1, sizeof *o);
    uint32_t *module_of = calloc(site->device_count ? site->device_count : 1, sizeof *module_of);
    size_t room = site->output_count ? site->output_count : 1;

    *out = NULL;
    if (o) {
        o->slots = calloc(room, sizeof *o->slots);
        o->modules = calloc(room, sizeof *o->modules);
    }
    if (!o || !module_of || !o->slots || !o->modules) {
        free(module_of);
        outputs_destroy(o);
        return RG_ENOMEM;
    }
    o->site = site;
    o->port = *port;
    o->count = site->output_count;
    random_seed(&o->random, seed);
    for (size_t i = 0; i < site->device_count; i++)
        module_of[i] = SITE_NONE;
    for (uint32_t i = 0; i < o->count; i++) {
        const struct site_output *conf = &site->outputs[i];

        o->slots[i].owner = o;
        o->slots[i].conf = conf;
        drive_init(&o->slots[i].drive, conf->assert_ms, ready_ms + site->devices[conf->device].start_up_ms);
        join_module(o, i, module_of);
    }
    free(module_of);
    *out = o;
    return RG_OK;
}

void outputs_destroy(struct outputs *o)
{
    if (!o)
        return;
    free(o->modules);
    free(o->slots);
    free(o);
}

void outputs_halt(struct outputs *o)
{
    if (o)
        o->halted = true;
}

/* ---- another configuration ---- */

static void inherit(struct outputs *o, struct output_slot *slot, const struct outputs *from,
                    const struct output_slot *old, struct moment now)
{
    const struct module *was = &from->modules[old->module];
    struct module *module = &o->modules[slot->module];

    if (slot->conf->on != old->conf->on || slot->conf->off != old->conf->off)
        return; /* what was read back means something else now */
    const bool passed = o->port.pass && drive_is_under_way(&old->drive) &&
                        o->port.pass(o->port.arg, slot->conf->device, old, slot);

    drive_inherit(&slot->drive, &old->drive, slot->conf->assert_ms, passed, now);
    module->busy = module->busy || passed;
    slot->level = old->level;
    slot->silenced = old->silenced && slot->conf->silenceable;
    slot->tested = old->tested;
    slot->test_end_ms = old->test_end_ms;
    memcpy(slot->detail, old->detail, sizeof slot->detail);
    if (was->hold_ms > module->hold_ms) {
        module->hold_ms = was->hold_ms;
        module->backoff.failures = was->backoff.failures;
    }
}

void outputs_inherit(struct outputs *o, const struct outputs *from, struct moment now)
{
    for (size_t i = 0; i < o->count; i++) {
        for (size_t k = 0; k < from->count; k++) {
            if (!site_output_same_place(o->site, o->slots[i].conf, from->site, from->slots[k].conf))
                continue;
            inherit(o, &o->slots[i], from, &from->slots[k], now);
            break;
        }
    }
    for (size_t k = 0; o->port.drop && k < from->count; k++) {
        if (drive_is_under_way(&from->slots[k].drive))
            o->port.drop(o->port.arg, &from->slots[k]); /* what was passed is not its any more */
    }
}

/* ---- what is wanted ---- */

static void want(struct output_slot *slot, struct moment now)
{
    const struct output_wish wish = {slot->level, slot->conf->from, slot->silenced, slot->tested};

    drive_want(&slot->drive, output_wanted(&wish), now);
}

void outputs_follow(struct outputs *o, uint32_t output, enum level level, uint64_t announced,
                    struct moment now)
{
    struct output_slot *slot = &o->slots[output];

    slot->level = level;
    if (announced != slot->announced || level < slot->conf->from)
        slot->silenced = false;
    slot->announced = announced;
    want(slot, now);
}

enum rg_err outputs_silence(struct outputs *o, uint32_t output, struct moment now)
{
    struct output_slot *slot = &o->slots[output];
    bool sounds = slot->level != LEVEL_NONE && slot->level >= slot->conf->from && !slot->silenced;

    if (!slot->conf->silenceable)
        return RG_EPERM;
    if (!sounds && !slot->tested)
        return RG_ESTATE;
    slot->silenced = slot->silenced || sounds;
    slot->tested = false;
    want(slot, now);
    return RG_OK;
}

enum rg_err outputs_test(struct outputs *o, uint32_t output, int64_t for_ms, struct moment now)
{
    struct output_slot *slot = &o->slots[output];

    if (for_ms < 1 || for_ms > OUTPUT_TEST_MAX_MS)
        return RG_ERANGE;
    slot->tested = true;
    slot->test_end_ms = now.mono_ms + for_ms;
    want(slot, now);
    return RG_OK;
}

/* ---- asking ---- */

static void tell(struct outputs *o, const struct output_slot *slot, enum drive_news news)
{
    if (news != DRIVE_NOTHING)
        o->port.news(o->port.arg, (uint32_t)(slot - o->slots), news, slot->detail);
}

static void note(struct output_slot *slot, const char *detail)
{
    (void)text_copy(slot->detail, sizeof slot->detail, detail ? detail : "");
}

/* The module did not answer one of its outputs: none of them is sure any more. */
static void module_silent(struct outputs *o, struct output_slot *asked, struct moment now)
{
    struct module *module = &o->modules[asked->module];

    module->hold_ms = now.mono_ms + backoff_fail(&module->backoff, &o->random);
    for (uint32_t i = asked->next; &o->slots[i] != asked; i = o->slots[i].next) {
        note(&o->slots[i], asked->detail);
        tell(o, &o->slots[i], drive_doubt(&o->slots[i].drive, now));
    }
}

/* The output of a module that is to be asked now, or NULL: a change goes first, then by turn. */
static struct output_slot *choose(struct outputs *o, const struct module *module, struct moment now)
{
    bool held = now.mono_ms < module->hold_ms;
    struct output_slot *chosen = NULL;
    uint32_t i = module->turn;

    do {
        struct output_slot *slot = &o->slots[i];
        bool due = drive_due_ms(&slot->drive) <= now.mono_ms;

        if (due && slot->drive.urgent)
            return slot;
        if (due && !held && !chosen)
            chosen = slot;
        i = slot->next;
    } while (i != module->turn);
    return chosen;
}

static void finish(struct outputs *o, struct output_slot *slot, enum drive_answer answer, struct moment now)
{
    enum drive_news news = drive_answer(&slot->drive, answer, now, &o->random);

    if (slot->drive.sure)
        slot->detail[0] = '\0';
    tell(o, slot, news);
    if (answer == DRIVE_MUTE)
        module_silent(o, slot, now);
}

static void ask(struct outputs *o, struct module *module, struct moment now)
{
    struct output_slot *slot;
    struct drive_action action;

    while (!module->busy && (slot = choose(o, module, now)) != NULL &&
           drive_next(&slot->drive, now, &action)) {
        const struct site_output *conf = slot->conf;
        const struct output_ask wish = {
            .device = conf->device,
            .space = conf->space,
            .address = conf->address,
            .write = action.write,
            .value = action.on ? conf->on : conf->off,
            .urgent = action.urgent,
            .slot = slot,
        };
        enum rg_err err = o->port.ask(o->port.arg, &wish);

        module->turn = slot->next;
        module->busy = err == RG_OK;
        if (err != RG_OK) {
            note(slot, rg_err_text(err));
            finish(o, slot, DRIVE_MUTE, now);
        }
    }
}

void outputs_tick(struct outputs *o, struct moment now)
{
    if (o->halted)
        return;
    for (size_t i = 0; i < o->count; i++) {
        struct output_slot *slot = &o->slots[i];

        drive_begin(&slot->drive, now);
        if (slot->tested && slot->test_end_ms <= now.mono_ms) {
            slot->tested = false;
            want(slot, now);
        }
        tell(o, slot, drive_tick(&slot->drive, now));
    }
    for (size_t i = 0; i < o->module_count; i++)
        ask(o, &o->modules[i], now);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t outputs_next_ms(const struct outputs *o)
{
    int64_t next = INT64_MAX;

    for (size_t i = 0; i < o->count; i++) {
        const struct output_slot *slot = &o->slots[i];
        const struct module *module = &o->modules[slot->module];
        int64_t due = drive_due_ms(&slot->drive);

        if (due < module->hold_ms && !slot->drive.urgent)
            due = module->hold_ms;
        if (!module->busy)
            next = earlier(next, due);
        if (slot->tested)
            next = earlier(next, slot->test_end_ms);
        next = earlier(next, drive_fault_ms(&slot->drive));
    }
    return next;
}

static enum drive_answer meaning(const struct output_slot *slot, enum output_result result, uint16_t value)
{
    if (result != OUTPUT_GOOD)
        return result == OUTPUT_REFUSED ? DRIVE_REFUSED : DRIVE_MUTE;
    if (slot->drive.phase == DRIVE_WRITING)
        return DRIVE_DONE;
    if (value == slot->conf->on)
        return DRIVE_READS_ON;
    return value == slot->conf->off ? DRIVE_READS_OFF : DRIVE_READS_OTHER;
}

void outputs_answer(struct output_slot *slot, enum output_result result, uint16_t value, const char *detail,
                    struct moment now)
{
    struct outputs *o = slot->owner;
    struct module *module = &o->modules[slot->module];
    enum drive_answer answer = meaning(slot, result, value);

    if (o->halted)
        return;
    module->busy = false;
    if (answer == DRIVE_MUTE || answer == DRIVE_REFUSED) {
        note(slot, detail);
    } else if (slot->drive.phase == DRIVE_READING &&
               answer != (slot->drive.wanted ? DRIVE_READS_ON : DRIVE_READS_OFF)) {
        (void)text_format(slot->detail, sizeof slot->detail, "holds %u", value);
    }
    if (answer != DRIVE_MUTE) {
        module->hold_ms = 0;
        backoff_reset(&module->backoff);
    }
    finish(o, slot, answer, now);
    outputs_tick(o, now);
}

/* ---- the end ---- */

void outputs_release(struct outputs *o, const struct site *next, struct moment now)
{
    for (size_t i = 0; i < o->count; i++) {
        bool stays = false;

        for (size_t k = 0; next && k < next->output_count && !stays; k++)
            stays = site_output_same_place(o->site, o->slots[i].conf, next, &next->outputs[k]);
        if (!stays)
            drive_release(&o->slots[i].drive, o->slots[i].conf->on_stop, now);
    }
    outputs_tick(o, now);
}

bool outputs_released(const struct outputs *o)
{
    for (size_t i = 0; i < o->count; i++) {
        const struct drive *d = &o->slots[i].drive;

        if (d->release != RELEASE_NONE && d->phase != DRIVE_RELEASED)
            return false;
    }
    return true;
}

void outputs_resume(struct outputs *o, struct moment now)
{
    for (size_t i = 0; i < o->count; i++)
        drive_resume(&o->slots[i].drive, now);
    outputs_tick(o, now);
}

void outputs_status(const struct outputs *o, uint32_t output, struct output_status *out)
{
    const struct output_slot *slot = &o->slots[output];
    const struct drive *d = &slot->drive;

    *out = (struct output_status){
        .level = slot->level,
        .wanted = d->wanted,
        .known = d->known,
        .on = d->on,
        .since_ms = d->since.wall_ms,
        .read_ms = d->read.wall_ms,
        .faulty = d->faulty,
        .silenced = slot->silenced,
        .tested = slot->tested,
        .writes = d->writes,
        .errors = d->errors,
        .otherwise = d->otherwise,
        .detail = slot->detail[0] ? slot->detail : NULL,
    };
}
