/* What goes over a Paho client's connection, and what comes. */
#include <stdlib.h>
#include <string.h>

#include "uplink/paho_inside.h"

static void slot_answer(struct slot *slot, enum paho_event_kind kind, const char *reason)
{
    struct paho_client *c = slot->client;
    struct slot answered;
    bool of_now;

    (void)pthread_mutex_lock(&c->mutex);
    answered = *slot;
    slot->used = false;
    of_now = answered.generation == c->generation;
    if (of_now && kind == PAHO_ACKED)
        c->alias_known[answered.alias] = true; /* 0 means nothing */
    (void)pthread_mutex_unlock(&c->mutex);
    if (of_now && answered.subscription && kind != PAHO_ACKED)
        kind = PAHO_UNSUBSCRIBED;
    else if (of_now && answered.subscription)
        kind = PAHO_SUBSCRIBED;
    if (of_now)
        paho_tell(c, answered.generation, kind, answered.token, reason);
    else
        c->cbs.ready(c->arg);
}

static void sent_v3(void *context, MQTTAsync_successData *data)
{
    (void)data;
    slot_answer(context, PAHO_ACKED, "");
}

static void sent_v5(void *context, MQTTAsync_successData5 *data)
{
    (void)data;
    slot_answer(context, PAHO_ACKED, "");
}

/* 3.1.1 has no PUBACK that says no: Paho gave the message up. */
static void unsent_v3(void *context, MQTTAsync_failureData *data)
{
    slot_answer(context, PAHO_LOST, paho_name_or(data ? data->message : NULL, "a message was given up"));
}

static void unsent_v5(void *context, MQTTAsync_failureData5 *data)
{
    if (data && data->reasonCode >= MQTTREASONCODE_UNSPECIFIED_ERROR)
        slot_answer(context, PAHO_REFUSED,
                    paho_name_or(MQTTReasonCode_toString(data->reasonCode), "unknown reason"));
    else
        slot_answer(context, PAHO_LOST, paho_name_or(data ? data->message : NULL, "a message was given up"));
}

/* SUBACK (MQTT 5, 3.9.3; 3.1.1, 3.9.3): 0 to 2 is the QoS granted. */
static void granted_v3(void *context, MQTTAsync_successData *data)
{
    const bool granted = data && data->alt.qos <= 2;

    slot_answer(context, granted ? PAHO_ACKED : PAHO_REFUSED, granted ? "" : "refused by the broker");
}

static void granted_v5(void *context, MQTTAsync_successData5 *data)
{
    const bool granted = data && data->reasonCode <= MQTTREASONCODE_GRANTED_QOS_2;

    slot_answer(
        context, granted ? PAHO_ACKED : PAHO_REFUSED,
        granted ? ""
                : paho_name_or(data ? MQTTReasonCode_toString(data->reasonCode) : NULL, "unknown reason"));
}

/* ---- what comes ---- */

/* Whatever becomes of it, Paho is told that it was taken: it would hold on to it, and to all that follow, and try again. */
int paho_arrived_cb(void *context, char *topic, int topic_length, MQTTAsync_message *message)
{
    struct paho_client *c = context;
    struct transport_message m = {.payload = message->payload, .length = (size_t)message->payloadlen};
    char response_topic[UPLINK_TOPIC_BYTES + 1];

    m.retained = message->retained != 0;
    for (int i = 0; message->struct_version >= 1 && i < message->properties.count; i++) {
        const MQTTProperty *p = &message->properties.array[i];

        if (p->identifier == MQTTPROPERTY_CODE_RESPONSE_TOPIC && p->value.data.len > 0 &&
            (size_t)p->value.data.len < sizeof(response_topic) &&
            !memchr(p->value.data.data, '\0', (size_t)p->value.data.len)) {
            memcpy(response_topic, p->value.data.data, (size_t)p->value.data.len);
            response_topic[p->value.data.len] = '\0';
            m.response_topic = response_topic;
        } else if (p->identifier == MQTTPROPERTY_CODE_CORRELATION_DATA && p->value.data.len > 0) {
            m.correlation = p->value.data.data;
            m.correlation_length = (size_t)p->value.data.len;
        }
    }
    /* Paho gives the length either way (1.3.12: 0 only for what it had queued); a topic with a NUL in it is none of ours. */
    if (topic_length == 0 || strlen(topic) == (size_t)topic_length)
        c->cbs.arrived(c->arg, topic, &m);
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

/* ---- what goes ---- */

static struct slot *take_slot(struct paho_client *c, uint64_t token, bool subscription)
{
    struct slot *slot = NULL;

    (void)pthread_mutex_lock(&c->mutex);
    for (size_t i = 0; i < PAHO_SLOTS && !slot; i++)
        if (!c->slots[i].used)
            slot = &c->slots[i];
    if (slot) {
        *slot = (struct slot){.client = c,
                              .generation = c->generation,
                              .token = token,
                              .used = true,
                              .subscription = subscription};
    }
    (void)pthread_mutex_unlock(&c->mutex);
    return slot;
}

static void give_slot_back(struct paho_client *c, struct slot *slot)
{
    (void)pthread_mutex_lock(&c->mutex);
    slot->used = false;
    (void)pthread_mutex_unlock(&c->mutex);
}

static int add_alias(MQTTProperties *properties, unsigned alias)
{
    MQTTProperty p = {.identifier = MQTTPROPERTY_CODE_TOPIC_ALIAS};

    if (alias == 0)
        return 0;
    p.value.integer2 = (unsigned short)alias;
    return MQTTProperties_add(properties, &p);
}

/* Which alias a message tells or uses. */
static void choose_alias(struct paho_client *c, struct slot *slot, unsigned alias)
{
    size_t waiting = 0;

    (void)pthread_mutex_lock(&c->mutex);
    for (size_t i = 0; i < PAHO_SLOTS; i++)
        waiting += c->slots[i].used;
    if (!c->no_alias && alias > 0 && alias <= TRANSPORT_ALIASES && alias <= c->alias_max) {
        slot->bare = c->alias_known[alias] && waiting == 1; /* itself */
        if (slot->bare || !c->alias_known[alias])
            slot->alias = alias;
    }
    (void)pthread_mutex_unlock(&c->mutex);
}

static int add_correlation(MQTTProperties *properties, const struct transport_answer *answer)
{
    MQTTProperty p = {.identifier = MQTTPROPERTY_CODE_CORRELATION_DATA};

    if (!answer || !answer->correlation)
        return 0;
    p.value.data.data = (char *)(uintptr_t)answer->correlation; /* copied */
    p.value.data.len = (int)answer->length;
    return MQTTProperties_add(properties, &p);
}

enum rg_err paho_client_publish(struct paho_client *c, const struct transport_publish *publish)
{
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    struct slot *slot = take_slot(c, publish->token, false);
    int rc = MQTTASYNC_SUCCESS;

    if (!slot)
        return RG_EFULL;
    response.context = slot;
    /* Callbacks of the other version are an error to Paho. */
    if (c->v311) {
        response.onSuccess = sent_v3;
        response.onFailure = unsent_v3;
    } else {
        response.onSuccess5 = sent_v5;
        response.onFailure5 = unsent_v5;
        choose_alias(c, slot, publish->alias);
        rc = add_alias(&response.properties, slot->alias);
        if (rc == MQTTASYNC_SUCCESS)
            rc = add_correlation(&response.properties, publish->answer);
    }
    if (rc == MQTTASYNC_SUCCESS)
        rc = MQTTAsync_send(c->handle, slot->bare ? "" : publish->topic, (int)publish->length,
                            publish->payload, 1, publish->retained, &response);
    MQTTProperties_free(&response.properties);
    if (rc == MQTTASYNC_SUCCESS)
        return RG_OK;
    give_slot_back(c, slot);
    return RG_EIO;
}

enum rg_err paho_client_subscribe(struct paho_client *c, const char *topic, unsigned id)
{
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    struct slot *slot = take_slot(c, id, true);

    if (!slot)
        return RG_EFULL;
    response.context = slot;
    if (c->v311) {
        response.onSuccess = granted_v3;
        response.onFailure = unsent_v3;
    } else {
        response.onSuccess5 = granted_v5;
        response.onFailure5 = unsent_v5;
        response.subscribeOptions.retainHandling = 2; /* what was kept from whenever is not asked of us now */
        response.subscribeOptions.noLocal = 1;
    }
    if (MQTTAsync_subscribe(c->handle, topic, 1, &response) == MQTTASYNC_SUCCESS)
        return RG_OK;
    give_slot_back(c, slot);
    return RG_EIO;
}
