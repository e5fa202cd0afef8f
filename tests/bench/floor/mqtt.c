/* What Paho takes for a message at QoS 1, from the call to its acknowledgement. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"
#include "publisher.h"

#define WINDOW 20 /* mosquitto's own limit for QoS 1 */

static void connected_cb(void *arg, MQTTAsync_successData *data)
{
    struct publisher *p = arg;

    (void)data;
    (void)pthread_mutex_lock(&p->mutex);
    p->connected = true;
    (void)pthread_cond_signal(&p->changed);
    (void)pthread_mutex_unlock(&p->mutex);
}

static void failed_cb(void *arg, MQTTAsync_failureData *data)
{
    struct publisher *p = arg;

    (void)data;
    (void)pthread_mutex_lock(&p->mutex);
    p->failed = true;
    (void)pthread_cond_signal(&p->changed);
    (void)pthread_mutex_unlock(&p->mutex);
}

static void acked_cb(void *arg, MQTTAsync_successData *data)
{
    struct publisher *p = arg;

    (void)data;
    (void)pthread_mutex_lock(&p->mutex);
    p->in_flight--;
    (void)pthread_cond_signal(&p->changed);
    (void)pthread_mutex_unlock(&p->mutex);
}

void publisher_open(struct publisher *p, long port)
{
    MQTTAsync_connectOptions options = MQTTAsync_connectOptions_initializer;
    char uri[64];

    *p = (struct publisher){0};
    (void)snprintf(uri, sizeof uri, "tcp://127.0.0.1:%ld", port);
    measure_need(pthread_mutex_init(&p->mutex, NULL) == 0 && pthread_cond_init(&p->changed, NULL) == 0 &&
                     MQTTAsync_create(&p->client, uri, "bench-floor", MQTTCLIENT_PERSISTENCE_NONE, NULL) ==
                         MQTTASYNC_SUCCESS,
                 "Paho does not start");
    options.onSuccess = connected_cb;
    options.onFailure = failed_cb;
    options.context = p;
    options.maxInflight = WINDOW;
    measure_need(MQTTAsync_connect(p->client, &options) == MQTTASYNC_SUCCESS, "Paho does not connect");
    (void)pthread_mutex_lock(&p->mutex);
    while (!p->connected && !p->failed)
        (void)pthread_cond_wait(&p->changed, &p->mutex);
    (void)pthread_mutex_unlock(&p->mutex);
    measure_need(p->connected, "no broker there");
}

static void wait_below(struct publisher *p, int in_flight)
{
    (void)pthread_mutex_lock(&p->mutex);
    while (p->in_flight >= in_flight && !p->failed)
        (void)pthread_cond_wait(&p->changed, &p->mutex);
    (void)pthread_mutex_unlock(&p->mutex);
    measure_need(!p->failed, "the broker does not take messages");
}

void publisher_send(struct publisher *p, const void *payload, size_t length, int in_flight)
{
    MQTTAsync_responseOptions options = MQTTAsync_responseOptions_initializer;

    wait_below(p, in_flight);
    (void)pthread_mutex_lock(&p->mutex);
    p->in_flight++;
    (void)pthread_mutex_unlock(&p->mutex);
    options.onSuccess = acked_cb;
    options.onFailure = failed_cb;
    options.context = p;
    measure_need(MQTTAsync_send(p->client, "bench/floor", (int)length, payload, 1, 0, &options) ==
                     MQTTASYNC_SUCCESS,
                 "Paho does not take the message");
}

void publisher_wait(struct publisher *p)
{
    wait_below(p, 1);
}

void publisher_close(struct publisher *p)
{
    MQTTAsync_destroy(&p->client);
    (void)pthread_cond_destroy(&p->changed);
    (void)pthread_mutex_destroy(&p->mutex);
}

static void measure_size(struct publisher *p, size_t bytes, int64_t until_us)
{
    struct measure_spread spread;
    struct measure_moment begin, passed;
    uint64_t sent = 0;
    char *payload = malloc(bytes);

    measure_need(payload != NULL, "out of memory");
    (void)memset(payload, '7', bytes);
    spread_create(&spread);
    begin = measure_now();
    do {
        struct measure_moment one = measure_now();

        publisher_send(p, payload, bytes, 1);
        publisher_wait(p);
        spread_add(&spread, measure_since(one).mono_us);
    } while (measure_since(begin).mono_us < until_us / 2);
    begin = measure_now();
    do {
        publisher_send(p, payload, bytes, WINDOW);
        sent++;
        passed = measure_since(begin);
    } while (passed.mono_us < until_us / 2);
    publisher_wait(p);
    passed = measure_since(begin);
    (void)printf(
        "\"%zu\":{\"messages_per_s\":%.0f,\"user_us_per_message\":%.2f,\"system_us_per_message\":%.2f,",
        bytes, (double)sent * 1e6 / (double)passed.mono_us, (double)passed.user_us / (double)sent,
        (double)passed.system_us / (double)sent);
    spread_print(&spread, "round_trip");
    (void)printf("}");
    spread_destroy(&spread);
    free(payload);
}

int floor_mqtt(int count, char **arguments)
{
    static const size_t sizes[] = {100, 1000, 64000};
    struct publisher p;
    int64_t until_us;

    if (count != 2)
        return 2;
    until_us = measure_number(arguments[0], "the time is in ms") * 1000;
    publisher_open(&p, measure_number(arguments[1], "a port is a number"));
    (void)printf("{");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        (void)printf(i > 0 ? "," : "");
        measure_size(&p, sizes[i], until_us);
    }
    (void)printf("}\n");
    publisher_close(&p);
    return 0;
}
