#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "plant/plant.h"

static void link_ready(struct plant *plant, struct source *source, uint32_t events);

struct link *link_open(struct plant *plant, struct listener *listener, int fd)
{
    struct link *link = plant->free_links;
    if (link == NULL) {
        plant->links_refused++;
        errno = ENFILE;
        return NULL;
    }
    uint32_t generation = link->generation + 1;
    struct link *rest = link->next;
    *link = (struct link){.source = {.fd = fd, .ready_cb = link_ready},
                          .listener = listener,
                          .next = listener->links,
                          .generation = generation,
                          .framing = listener->config->kind == LISTENER_TCP ? CODEC_TCP : CODEC_RTU,
                          .last_unit = -1};
    if (!plant_watch(plant, &link->source, EPOLLIN)) {
        link->source.fd = -1;
        link->next = rest;
        return NULL;
    }
    plant->free_links = rest;
    if (listener->links != NULL)
        listener->links->previous = link;
    listener->links = link;
    listener->link_count++;
    return link;
}

void link_close(struct plant *plant, struct link *link)
{
    struct listener *listener = link->listener;
    plant_close(&link->source);
    if (link->previous != NULL)
        link->previous->next = link->next;
    else
        listener->links = link->next;
    if (link->next != NULL)
        link->next->previous = link->previous;
    listener->link_count--;
    listener->counters.closed++;
    link->generation++;
    link->previous = NULL;
    link->next = plant->closed_links;
    plant->closed_links = link;
}

static void link_send(struct plant *plant, struct link *link, const uint8_t *bytes, size_t length,
                      struct unit *unit)
{
    /* Before the write: the other end may have read it, and counted its own silence from there, long before a machine under
     * load lets this process run on. A silence measured from a later instant would be shorter than it was. */
    link->active_us = timers_now();
    ssize_t sent = write(link->source.fd, bytes, length);
    if (sent == (ssize_t)length) {
        link->listener->counters.answers++;
        if (unit != NULL)
            unit->counters.answers++;
        return;
    }
    /* Nobody reads: on a line the bytes are lost, on a connection the stream would be torn. */
    link->listener->counters.unsent++;
    if (link->listener->config->kind != LISTENER_RTU)
        link_close(plant, link);
}

void link_answer(struct plant *plant, uint32_t index)
{
    struct answer *answer = &plant->answers[index];
    struct link *link = &plant->links[answer->link];
    if (answer->unit != NULL)
        answer->unit->owed--;
    if (link->generation == answer->generation) {
        link->pending--;
        link_send(plant, link, answer->bytes, answer->length, answer->unit);
    }
    answer->next_free = plant->free_answer;
    plant->free_answer = index;
}

static void link_send_later(struct plant *plant, struct link *link, int64_t due_us, const uint8_t *bytes,
                            size_t length, struct unit *unit)
{
    uint32_t index = plant->free_answer;
    struct timer timer = {.due_us = due_us, .kind = TIMER_ANSWER, .index = index};
    if (index == PLANT_ANSWERS_MAX || !timers_add(&plant->timers, &timer)) {
        plant->answers_lost++;
        return;
    }
    struct answer *answer = &plant->answers[index];
    plant->free_answer = answer->next_free;
    answer->link = (uint32_t)(link - plant->links);
    answer->generation = link->generation;
    answer->unit = unit;
    answer->length = length;
    memcpy(answer->bytes, bytes, length);
    link->pending++;
    if (unit != NULL)
        unit->owed++;
}

static void note_silence(struct link *link, const struct codec_frame *frame)
{
    struct listener_counters *counters = &link->listener->counters;
    int64_t silence_us = link->silence_us;
    if (silence_us >= 0) {
        if (counters->silence_min_us < 0 || silence_us < counters->silence_min_us)
            counters->silence_min_us = silence_us;
        if (silence_us > counters->silence_max_us)
            counters->silence_max_us = silence_us;
        if (link->last_unit >= 0 && link->last_unit != frame->unit &&
            (counters->switch_silence_min_us < 0 || silence_us < counters->switch_silence_min_us))
            counters->switch_silence_min_us = silence_us;
    }
    link->last_unit = frame->unit;
}

static void note_history(struct unit *unit, const struct link *link, const struct codec_request *request)
{
    struct history *history = &unit->history;
    unit->counters.requests++;
    if (history->capacity == 0)
        return;
    uint32_t silence = UINT32_MAX;
    if (link->silence_us >= 0 && link->silence_us < UINT32_MAX)
        silence = (uint32_t)link->silence_us;
    history->entries[history->total % history->capacity] =
        (struct history_entry){.at_us = link->first_us,
                               .silence_us = silence,
                               .address = request->address,
                               .quantity = request->quantity,
                               .function = request->function};
    history->total++;
}

/* To all units of a line, none of which answers; only writing makes sense. */
static void serve_broadcast(struct link *link, int64_t t_us, const struct codec_request *request)
{
    struct listener_config *config = link->listener->config;
    uint8_t ignored[CODEC_PDU_MAX];
    link->listener->counters.broadcasts++;
    for (size_t i = 0; request->data != NULL && i < config->unit_count; i++) {
        config->units[i]->counters.writes++;
        (void)bank_answer(&config->units[i]->bank, t_us, request, ignored);
    }
}

/* How long a line of that baud rate would be busy with so many characters (10 bits: 8N1) and the 3.5 between frames. */
static int64_t line_us(const struct listener_config *config, size_t characters)
{
    if (config->baud == 0)
        return 0;
    return (int64_t)((double)characters * 10e6 / config->baud + 35e6 / config->baud);
}

/* A serial device carries out one request after the other: its answer never overtakes one that it still owes. Over TCP
 * answers have numbers and may come in any order. */
static int64_t answer_due(const struct link *link, struct unit *unit, int64_t due_us)
{
    if (link->framing != CODEC_RTU || unit == NULL)
        return due_us;
    /* Owed even past its time, until its timer has been served; equal times have no order among timers. */
    if (unit->owed > 0 && due_us <= unit->owed_us)
        due_us = unit->owed_us + 1;
    unit->owed_us = due_us;
    return due_us;
}

struct exchange {
    const struct codec_frame *frame;
    const struct fault *fault;
    struct unit *unit;
    const uint8_t *pdu;
    size_t pdu_length;
};

static void send_exchange(struct plant *plant, struct link *link, const struct exchange *exchange)
{
    uint8_t bytes[FAULT_BYTES_MAX];
    struct fault_context context = {.framing = link->framing,
                                    .transaction = exchange->frame->transaction,
                                    .unit = exchange->frame->unit,
                                    .random = wave_hash(plant->random, link->listener->counters.requests)};
    size_t length = fault_frame(exchange->fault, &context, exchange->pdu, exchange->pdu_length, bytes);
    int64_t delay_us = line_us(link->listener->config, exchange->frame->length + length);
    if (exchange->fault != NULL && exchange->fault->kind == FAULT_LATE)
        delay_us += exchange->fault->argument * 1000;
    int64_t now_us = timers_now();
    int64_t due_us = answer_due(link, exchange->unit, now_us + delay_us);
    bool behind = link->framing == CODEC_RTU && exchange->unit != NULL && exchange->unit->owed > 0;
    if (due_us > now_us || behind)
        link_send_later(plant, link, due_us, bytes, length, exchange->unit);
    else
        link_send(plant, link, bytes, length, exchange->unit);
}

static void serve_unit(struct plant *plant, struct link *link, struct exchange *exchange, int64_t t_us)
{
    struct unit *unit = exchange->unit;
    struct codec_request request;
    uint8_t pdu[CODEC_PDU_MAX];
    uint8_t exception = codec_parse(exchange->frame->pdu, exchange->frame->pdu_length, &request);
    note_history(unit, link, &request);
    exchange->fault = fault_set_pick(&unit->faults, t_us);
    if (exchange->fault == NULL)
        exchange->fault = fault_set_pick(&link->listener->config->faults, t_us);
    if (exchange->fault != NULL)
        unit->counters.faults++;
    if (exchange->fault != NULL && exchange->fault->kind == FAULT_MUTE)
        return;
    if (exchange->fault != NULL && exchange->fault->kind == FAULT_DROP) {
        link_close(plant, link);
        return;
    }
    if (exchange->fault != NULL && exchange->fault->kind == FAULT_EXCEPTION)
        exception = (uint8_t)exchange->fault->argument;
    if (exception != 0)
        exchange->pdu_length = codec_answer_exception(request.function, exception, pdu);
    else
        exchange->pdu_length = bank_answer(&unit->bank, t_us, &request, pdu);
    unit->counters.exceptions += (pdu[0] & 0x80u) != 0;
    unit->counters.writes += (pdu[0] & 0x80u) == 0 && request.data != NULL;
    exchange->pdu = pdu;
    send_exchange(plant, link, exchange);
    exchange->pdu = NULL; /* it was on this stack */
}

static void serve(struct plant *plant, struct link *link, const struct codec_frame *frame)
{
    struct listener *listener = link->listener;
    int64_t t_us = plant_time(plant, timers_now());
    struct exchange exchange = {.frame = frame, .unit = listener->config->by_id[frame->unit]};
    listener->counters.requests++;
    listener->counters.overlapped += link->pending > 0;
    note_silence(link, frame);
    if (link->framing == CODEC_RTU && frame->unit == 0) {
        struct codec_request request;
        if (codec_parse(frame->pdu, frame->pdu_length, &request) == 0)
            serve_broadcast(link, t_us, &request);
        return;
    }
    if (exchange.unit != NULL) {
        serve_unit(plant, link, &exchange, t_us);
        return;
    }
    listener->counters.unknown_units++;
    if (listener->config->unknown == 0)
        return;
    uint8_t pdu[2];
    exchange.pdu_length = codec_answer_exception(frame->pdu[0], listener->config->unknown, pdu);
    exchange.pdu = pdu;
    send_exchange(plant, link, &exchange);
}

static void link_skip(struct link *link)
{
    link->listener->counters.bad_frames++;
    link->listener->counters.bad_bytes += link->input_length;
    link->input_length = 0;
}

/* A two-wire adapter that hears itself. False: the link has been closed. */
static bool link_echo(struct plant *plant, struct link *link, const uint8_t *bytes, size_t length)
{
    if (!link->listener->config->echo || write(link->source.fd, bytes, length) == (ssize_t)length)
        return true;
    link->listener->counters.unsent++;
    if (link->listener->config->kind == LISTENER_RTU)
        return true;
    link_close(plant, link);
    return false;
}

/* Serves the whole frames in the buffer. False: the link has been closed. */
static bool link_parse(struct plant *plant, struct link *link, bool idle)
{
    uint32_t generation = link->generation;
    while (link->input_length > 0) {
        struct codec_frame frame;
        enum codec_scan found = link->framing == CODEC_TCP
                                    ? codec_scan_tcp(link->input, link->input_length, &frame)
                                    : codec_scan_rtu(link->input, link->input_length, idle, &frame);
        if (found == CODEC_MORE)
            break;
        if (found == CODEC_BAD) {
            link_skip(link);
            link->resync = link->framing == CODEC_RTU && !idle;
            if (link->framing == CODEC_TCP)
                link_close(plant, link);
            break;
        }
        serve(plant, link, &frame);
        if (link->generation != generation)
            return false;
        link->input_length -= frame.length;
        memmove(link->input, link->input + frame.length, link->input_length);
        link->silence_us = 0; /* what is left has come without a pause */
        if (link->input_length > 0)
            link->listener->counters.overlapped++;
    }
    return link->generation == generation;
}

static void arm_idle(struct plant *plant, struct link *link)
{
    if (link->framing != CODEC_RTU || link->idle_armed || (link->input_length == 0 && !link->resync))
        return;
    struct timer timer = {.due_us = link->active_us + link->listener->config->idle_us,
                          .kind = TIMER_IDLE,
                          .index = (uint32_t)(link - plant->links),
                          .generation = link->generation};
    link->idle_armed = timers_add(&plant->timers, &timer); /* if full: the next bytes look by themselves */
}

/* The line has been silent for its idle time: whatever is there is all that comes. False: the link has been closed. */
static bool fall_idle(struct plant *plant, struct link *link)
{
    link->resync = false;
    if (!link_parse(plant, link, true))
        return false;
    if (link->input_length > 0)
        link_skip(link);
    return true;
}

void link_idle(struct plant *plant, const struct timer *timer)
{
    struct link *link = &plant->links[timer->index];
    if (link->generation != timer->generation)
        return;
    link->idle_armed = false;
    if (timers_now() - link->active_us < link->listener->config->idle_us || fall_idle(plant, link))
        arm_idle(plant, link);
}

static void link_ready(struct plant *plant, struct source *source, uint32_t events)
{
    struct link *link = (struct link *)source;
    uint8_t bytes[PLANT_INPUT_BYTES];
    (void)events;
    ssize_t got = read(source->fd, bytes, sizeof(link->input) - link->input_length);
    int64_t now_us = timers_now();
    if (got <= 0) {
        if (got == 0 || (errno != EAGAIN && errno != EINTR))
            link_close(plant, link);
        return;
    }
    if (!link_echo(plant, link, bytes, (size_t)got))
        return;
    if (link->framing == CODEC_RTU && (link->resync || link->input_length > 0) &&
        now_us - link->active_us >= link->listener->config->idle_us && !fall_idle(plant, link))
        return;
    if (link->input_length == 0) {
        link->first_us = now_us;
        link->silence_us = link->active_us > 0 ? now_us - link->active_us : -1;
    }
    link->active_us = now_us;
    if (link->resync) {
        link->listener->counters.bad_bytes += (uint64_t)got;
    } else {
        memcpy(link->input + link->input_length, bytes, (size_t)got);
        link->input_length += (size_t)got;
        if (!link_parse(plant, link, false))
            return;
    }
    arm_idle(plant, link);
}
