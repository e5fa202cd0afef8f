#include "output/drive.h"

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

bool drive_is_under_way(const struct drive *d)
{
    return d->phase == DRIVE_WRITING || d->phase == DRIVE_READING;
}

static void write_at(struct drive *d, int64_t due_ms)
{
    d->phase = DRIVE_WRITE;
    d->due_ms = later(due_ms, d->ready_ms);
}

static void begin_doubt(struct drive *d, struct moment now)
{
    d->sure = false;
    if (d->doubt_ms == INT64_MAX)
        d->doubt_ms = later(now.mono_ms, d->ready_ms);
}

void drive_init(struct drive *d, int64_t assert_ms, int64_t ready_ms)
{
    *d = (struct drive){.assert_ms = assert_ms, .ready_ms = ready_ms, .doubt_ms = ready_ms, .urgent = true};
    backoff_init(&d->retry, DRIVE_RETRY_MS, assert_ms);
    write_at(d, ready_ms);
}

void drive_begin(struct drive *d, struct moment now)
{
    if (!d->begun && d->doubt_ms != INT64_MAX)
        d->doubt_ms = later(d->doubt_ms, now.mono_ms);
    d->begun = true;
}

void drive_inherit(struct drive *d, const struct drive *from, int64_t assert_ms, bool passed,
                   struct moment now)
{
    *d = *from;
    d->assert_ms = assert_ms;
    d->retry.cap_ms = assert_ms;
    drive_resume(d, now);
    if (drive_is_under_way(d) && !passed) {
        begin_doubt(d, now);
        d->urgent = true;
        write_at(d, now.mono_ms);
    }
    if (d->due_ms > now.mono_ms + assert_ms)
        d->due_ms = later(now.mono_ms + assert_ms, d->ready_ms);
}

void drive_want(struct drive *d, bool on, struct moment now)
{
    if (d->wanted == on)
        return;
    d->wanted = on;
    if (d->release != RELEASE_NONE)
        return;
    begin_doubt(d, now);
    d->urgent = true;
    if (!drive_is_under_way(d))
        write_at(d, now.mono_ms);
}

int64_t drive_due_ms(const struct drive *d)
{
    return d->phase == DRIVE_WRITE || d->phase == DRIVE_READ ? d->due_ms : INT64_MAX;
}

bool drive_next(struct drive *d, struct moment now, struct drive_action *action)
{
    if (drive_due_ms(d) > now.mono_ms)
        return false;
    *action = (struct drive_action){.write = d->phase == DRIVE_WRITE};
    if (action->write) {
        d->asked = action->on = d->release == RELEASE_WRITE ? d->final : d->wanted;
        d->phase = DRIVE_WRITING;
        /* The tries of a module that has been mute for long go among the polls. */
        action->urgent = d->urgent || !d->faulty;
        d->urgent = false;
    } else {
        d->phase = DRIVE_READING;
        action->urgent = d->fresh;
    }
    return true;
}

static enum drive_news check_fault(struct drive *d, struct moment now)
{
    if (d->faulty || d->release != RELEASE_NONE || d->doubt_ms == INT64_MAX)
        return DRIVE_NOTHING;
    if (d->failures < DRIVE_TRIES && now.mono_ms - d->doubt_ms < DRIVE_DOUBT_MS)
        return DRIVE_NOTHING;
    d->faulty = true;
    d->told = false;
    return DRIVE_FAULT;
}

/* In doubt it is written again. own_gap: of this output, else of its module. */
static enum drive_news fail(struct drive *d, struct moment now, int64_t own_gap_ms)
{
    begin_doubt(d, now);
    d->errors++;
    d->failures++;
    /* A change that came meanwhile has not had its try yet. */
    write_at(d, d->urgent ? now.mono_ms : now.mono_ms + own_gap_ms);
    return check_fault(d, now);
}

static enum drive_news settle(struct drive *d, bool switched, struct moment now)
{
    bool told = d->told;

    d->sure = d->told = true;
    d->faulty = false;
    d->failures = 0;
    d->doubt_ms = INT64_MAX;
    backoff_reset(&d->retry);
    d->phase = DRIVE_READ;
    d->due_ms = now.mono_ms + d->assert_ms;
    if (!told)
        return DRIVE_CONFIRMED;
    return switched ? DRIVE_SWITCHED : DRIVE_NOTHING;
}

static enum drive_news written(struct drive *d, struct moment now)
{
    d->writes++;
    d->fresh = true;
    d->doubt_ms = now.mono_ms; /* it answers: what it says decides now */
    if (d->asked != d->wanted) {
        write_at(d, now.mono_ms);
        return DRIVE_NOTHING;
    }
    d->urgent = false; /* it changed meanwhile, and back */
    d->phase = DRIVE_READ;
    d->due_ms = now.mono_ms;
    return DRIVE_NOTHING;
}

static enum drive_news read_back(struct drive *d, enum drive_answer answer, struct moment now,
                                 struct rg_random *random)
{
    bool on = answer == DRIVE_READS_ON;
    bool other = answer == DRIVE_READS_OTHER;
    bool switched = !d->known || d->on != on;
    bool fresh = d->fresh;

    if (!other && switched)
        d->since = now;
    d->known = !other;
    d->on = on;
    d->read = now;
    d->fresh = false;
    if (d->asked != d->wanted) { /* wanted since the read-back began */
        write_at(d, now.mono_ms);
        return DRIVE_NOTHING;
    }
    d->urgent = false;
    if (!other && on == d->wanted)
        return settle(d, switched, now);
    if (fresh) /* it took the write and does not hold it */
        return fail(d, now, backoff_fail(&d->retry, random));
    begin_doubt(d, now);
    d->otherwise++;
    d->urgent = true;
    write_at(d, now.mono_ms);
    return DRIVE_FOUND_OTHERWISE;
}

static void release_answer(struct drive *d, bool write, bool good, struct moment now)
{
    if (write && good)
        d->writes++;
    if (!good)
        d->errors++;
    if (d->release == RELEASE_LEAVE || (write && good && d->asked == d->final)) {
        d->phase = DRIVE_RELEASED;
        return;
    }
    if (!good && ++d->tries >= DRIVE_RELEASE_TRIES) {
        d->phase = DRIVE_RELEASED;
        return;
    }
    d->urgent = true;
    write_at(d, now.mono_ms);
}

enum drive_news drive_answer(struct drive *d, enum drive_answer answer, struct moment now,
                             struct rg_random *random)
{
    bool write = d->phase == DRIVE_WRITING;
    bool good = write ? answer == DRIVE_DONE
                      : answer == DRIVE_READS_OFF || answer == DRIVE_READS_ON || answer == DRIVE_READS_OTHER;

    if (!drive_is_under_way(d))
        return DRIVE_NOTHING;
    if (d->release != RELEASE_NONE) {
        release_answer(d, write, good, now);
        return DRIVE_NOTHING;
    }
    if (!good)
        return fail(d, now, answer == DRIVE_REFUSED ? backoff_fail(&d->retry, random) : 0);
    return write ? written(d, now) : read_back(d, answer, now, random);
}

enum drive_news drive_doubt(struct drive *d, struct moment now)
{
    if (drive_is_under_way(d) || d->phase == DRIVE_RELEASED)
        return DRIVE_NOTHING;
    if (d->release != RELEASE_NONE) {
        if (++d->tries >= DRIVE_RELEASE_TRIES)
            d->phase = DRIVE_RELEASED;
        return DRIVE_NOTHING;
    }
    begin_doubt(d, now);
    d->failures++;
    d->urgent = false;
    write_at(d, d->phase == DRIVE_WRITE ? later(d->due_ms, now.mono_ms) : now.mono_ms);
    return check_fault(d, now);
}

int64_t drive_fault_ms(const struct drive *d)
{
    if (d->faulty || d->release != RELEASE_NONE || d->doubt_ms == INT64_MAX)
        return INT64_MAX;
    return d->doubt_ms + DRIVE_DOUBT_MS;
}

enum drive_news drive_tick(struct drive *d, struct moment now)
{
    return check_fault(d, now);
}

void drive_release(struct drive *d, enum output_stop stop, struct moment now)
{
    if (d->release != RELEASE_NONE)
        return;
    d->final = stop == OUTPUT_STOP_KEEP ? d->wanted : stop == OUTPUT_STOP_ON;
    d->release = stop == OUTPUT_STOP_KEEP && d->sure ? RELEASE_LEAVE : RELEASE_WRITE;
    d->tries = d->faulty ? DRIVE_RELEASE_TRIES - 1 : 0;
    if (drive_is_under_way(d))
        return;
    if (d->release == RELEASE_LEAVE) {
        d->phase = DRIVE_RELEASED;
        return;
    }
    d->urgent = true;
    write_at(d, now.mono_ms);
}

void drive_resume(struct drive *d, struct moment now)
{
    if (d->release == RELEASE_NONE)
        return;
    d->release = RELEASE_NONE;
    begin_doubt(d, now);
    d->urgent = true;
    if (!drive_is_under_way(d))
        write_at(d, now.mono_ms);
}
