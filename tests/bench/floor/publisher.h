/* A connection of Paho to a broker of the loopback, with a bound of messages in flight. */
#ifndef RG_BENCH_PUBLISHER_H
#define RG_BENCH_PUBLISHER_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include <MQTTAsync.h>

struct publisher {
    MQTTAsync client;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int in_flight;
    bool connected, failed;
};

void publisher_open(struct publisher *p, long port);
/* At QoS 1, as soon as fewer than that many are in flight. Ends the program when the broker does not take it. */
void publisher_send(struct publisher *p, const void *payload, size_t length, int in_flight);
/* Until all have been acknowledged. */
void publisher_wait(struct publisher *p);
void publisher_close(struct publisher *p);

#endif
