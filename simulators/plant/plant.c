#include "plant/plant.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "plant/control.h"

#define EVENTS_AT_ONCE 256
#define REFUSE_LOOK_US 10000 /* how exactly listeners follow the scenario's refuse times */

int64_t plant_time(const struct plant *plant, int64_t now_us)
{
    int64_t t_us = (int64_t)((double)(now_us - plant->start_us) * plant->speed);
    return t_us - t_us % plant->scenario.tick_us;
}

bool plant_watch(struct plant *plant, struct source *source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = source};
    return epoll_ctl(plant->epoll, EPOLL_CTL_ADD, source->fd, &event) == 0;
}

void plant_close(struct source *source)
{
    if (source->fd >= 0)
        (void)close(source->fd);
    source->fd = -1;
}

static void timer_ready(struct plant *plant, struct source *source, uint32_t events)
{
    uint64_t count = 0;
    (void)events;
    if (read(source->fd, &count, sizeof(count)) == (ssize_t)sizeof(count))
        plant->timers.armed_us = 0;
}

static void signal_ready(struct plant *plant, struct source *source, uint32_t events)
{
    struct signalfd_siginfo info;
    (void)events;
    if (read(source->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
        plant->stop = true;
}

static bool open_signals(struct plant *plant)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
        return false;
    plant->signal_source.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    return plant->signal_source.fd >= 0 && plant_watch(plant, &plant->signal_source, EPOLLIN);
}

static bool make_room(struct plant *plant)
{
    plant->listeners = calloc(plant->scenario.listener_count, sizeof(*plant->listeners));
    plant->links = calloc(PLANT_LINKS_MAX, sizeof(*plant->links));
    plant->answers = calloc(PLANT_ANSWERS_MAX, sizeof(*plant->answers));
    if (plant->listeners == NULL || plant->links == NULL || plant->answers == NULL)
        return false;
    for (size_t i = 0; i < plant->scenario.listener_count; i++) {
        struct listener *listener = &plant->listeners[i];
        listener->source.fd = listener->held = listener->slave = -1;
        listener->config = &plant->scenario.listeners[i];
        listener->port = listener->config->port;
        listener->counters.silence_min_us = listener->counters.silence_max_us = -1;
        listener->counters.switch_silence_min_us = -1;
    }
    for (size_t i = PLANT_LINKS_MAX; i-- > 0;) {
        plant->links[i].source.fd = -1;
        plant->links[i].next = plant->free_links;
        plant->free_links = &plant->links[i];
    }
    for (uint32_t i = 0; i < PLANT_ANSWERS_MAX; i++)
        plant->answers[i].next_free = i + 1;
    return true;
}

bool plant_create(struct plant *plant, struct scenario *scenario, double speed)
{
    *plant = (struct plant){.scenario = *scenario, .epoll = -1, .speed = speed, .random = scenario->seed};
    *scenario = (struct scenario){0};
    plant->timers.fd = -1;
    plant->timer_source = (struct source){.fd = -1, .ready_cb = timer_ready};
    plant->signal_source = (struct source){.fd = -1, .ready_cb = signal_ready};
    plant->start_us = timers_now();
    plant->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (plant->epoll < 0 || !make_room(plant) || !open_signals(plant) ||
        !timers_create(&plant->timers, PLANT_ANSWERS_MAX + 2 * PLANT_LINKS_MAX + 1)) {
        fprintf(stderr, "riskgate-plant: cannot start: %s\n", strerror(errno));
        return false;
    }
    plant->timer_source.fd = plant->timers.fd;
    if (!plant_watch(plant, &plant->timer_source, EPOLLIN)) {
        fprintf(stderr, "riskgate-plant: cannot start: %s\n", strerror(errno));
        return false;
    }
    bool refuses = false;
    for (size_t i = 0; i < plant->scenario.listener_count; i++) {
        refuses = refuses || plant->listeners[i].config->refuses;
        if (!fault_set_refuses(&plant->listeners[i].config->faults, 0) &&
            !listener_open(plant, &plant->listeners[i]))
            return false;
    }
    struct timer look = {.due_us = plant->start_us, .kind = TIMER_REFUSE};
    return !refuses || timers_add(&plant->timers, &look);
}

static void look_for_refusals(struct plant *plant, int64_t now_us)
{
    for (size_t i = 0; i < plant->scenario.listener_count; i++) {
        if (plant->listeners[i].config->refuses)
            listener_update(plant, &plant->listeners[i]);
    }
    struct timer next = {.due_us = now_us + REFUSE_LOOK_US, .kind = TIMER_REFUSE};
    (void)timers_add(&plant->timers, &next); /* there is room: it has just left */
}

static void run_timers(struct plant *plant)
{
    struct timer timer;
    int64_t now_us = timers_now();
    while (timers_take(&plant->timers, now_us, &timer)) {
        switch (timer.kind) {
        case TIMER_ANSWER:
            link_answer(plant, timer.index);
            break;
        case TIMER_IDLE:
            link_idle(plant, &timer);
            break;
        case TIMER_REFUSE:
            look_for_refusals(plant, now_us);
            break;
        }
    }
}

/* Slots of closed links are used anew only after the batch of events that may still name them. */
static void recycle_links(struct plant *plant)
{
    while (plant->closed_links != NULL) {
        struct link *link = plant->closed_links;
        plant->closed_links = link->next;
        link->next = plant->free_links;
        plant->free_links = link;
    }
}

bool plant_run(struct plant *plant)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    while (!plant->stop) {
        timers_arm(&plant->timers);
        int count = epoll_wait(plant->epoll, events, EVENTS_AT_ONCE, -1);
        if (count < 0 && errno != EINTR) {
            fprintf(stderr, "riskgate-plant: epoll_wait: %s\n", strerror(errno));
            return false;
        }
        for (int i = 0; i < count; i++) {
            struct source *source = events[i].data.ptr;
            if (source->fd >= 0) /* an earlier event of the batch may have closed it */
                source->ready_cb(plant, source, events[i].events);
        }
        run_timers(plant);
        recycle_links(plant);
    }
    return true;
}

void plant_destroy(struct plant *plant)
{
    control_destroy(plant->control);
    for (size_t i = 0; plant->listeners != NULL && i < plant->scenario.listener_count; i++)
        listener_close(plant, &plant->listeners[i]);
    timers_destroy(&plant->timers);
    plant_close(&plant->signal_source);
    if (plant->epoll >= 0)
        (void)close(plant->epoll);
    free(plant->answers);
    free(plant->links);
    free(plant->listeners);
    scenario_free(&plant->scenario);
    *plant = (struct plant){.epoll = -1};
}
