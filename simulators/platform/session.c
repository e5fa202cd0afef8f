#include "session.h"

#include <MQTTClient.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DISCONNECT_MS 500
#define IN_FLIGHT 100
#define SESSION_DAY_S 86400 /* that the broker keeps what came meanwhile */

struct session {
    struct session_options options;
    MQTTClient client;
    char id[64], error[200];
    int last_token; /* of the last publication */
};

/* Paho's words for the schemes. */
static bool server_uri(const char *broker, char *out, size_t size, bool *tls)
{
    static const char plain[] = "mqtt://", secure[] = "mqtts://";

    *tls = strncmp(broker, secure, sizeof secure - 1) == 0;
    if (*tls)
        broker += sizeof secure - 1;
    else if (strncmp(broker, plain, sizeof plain - 1) == 0)
        broker += sizeof plain - 1;
    else if (strstr(broker, "://"))
        return false;
    return strchr(broker, ':') && (size_t)snprintf(out, size, "%s://%s", *tls ? "ssl" : "tcp", broker) < size;
}

struct session *session_create(const struct session_options *options)
{
    MQTTClient_createOptions create = MQTTClient_createOptions_initializer;
    struct session *s = calloc(1, sizeof *s);
    struct timespec now = {0};
    char uri[300];
    bool tls;

    if (!s)
        return NULL;
    s->options = *options;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (options->client_id)
        (void)snprintf(s->id, sizeof s->id, "%s", options->client_id);
    else
        (void)snprintf(s->id, sizeof s->id, "riskgate-platform-%ld-%ld", (long)getpid(),
                       (long)(now.tv_nsec / 1000));
    create.MQTTVersion = options->v311 ? MQTTVERSION_3_1_1 : MQTTVERSION_5;
    if (!server_uri(options->broker, uri, sizeof uri, &tls) ||
        MQTTClient_createWithOptions(&s->client, uri, s->id, MQTTCLIENT_PERSISTENCE_NONE, NULL, &create) !=
            MQTTCLIENT_SUCCESS) {
        free(s);
        return NULL;
    }
    return s;
}

void session_destroy(struct session *s)
{
    if (!s)
        return;
    if (s->options.v311)
        (void)MQTTClient_disconnect(s->client, DISCONNECT_MS);
    else
        (void)MQTTClient_disconnect5(s->client, DISCONNECT_MS, MQTTREASONCODE_SUCCESS, NULL);
    MQTTClient_destroy(&s->client);
    free(s);
}

const char *session_id(const struct session *s)
{
    return s->id;
}

const char *session_error(const struct session *s)
{
    return s->error;
}

bool session_connected(const struct session *s)
{
    return MQTTClient_isConnected(s->client);
}

/* The chain, the host's name and at least TLS 1.2 are demanded. */
static MQTTClient_SSLOptions tls_options(const struct session_options *o)
{
    MQTTClient_SSLOptions tls = MQTTClient_SSLOptions_initializer;

    tls.trustStore = o->ca;
    tls.keyStore = o->cert;
    tls.privateKey = o->key;
    tls.enableServerCertAuth = 1;
    tls.verify = 1;
    tls.sslVersion = MQTT_SSL_VERSION_TLS_1_2;
    return tls;
}

static bool refuse(struct session *s, const char *what, int code)
{
    const char *words =
        code < 0 ? MQTTClient_strerror(code) : MQTTReasonCode_toString((enum MQTTReasonCodes)code);

    (void)snprintf(s->error, sizeof s->error, "%s: %s (%d)", what, words ? words : "refused", code);
    return false;
}

static int connect_v5(struct session *s, MQTTClient_connectOptions *options)
{
    MQTTProperties properties = MQTTProperties_initializer;
    MQTTProperty expiry = {.identifier = MQTTPROPERTY_CODE_SESSION_EXPIRY_INTERVAL,
                           .value.integer4 = SESSION_DAY_S};
    MQTTResponse response;
    int rc;

    options->MQTTVersion = MQTTVERSION_5;
    options->cleansession = 0;
    options->cleanstart = s->options.client_id ? 0 : 1;
    if (s->options.client_id && MQTTProperties_add(&properties, &expiry) != 0)
        return MQTTCLIENT_FAILURE;
    response = MQTTClient_connect5(s->client, options, &properties, NULL);
    rc = (int)response.reasonCode;
    MQTTResponse_free(response);
    MQTTProperties_free(&properties);
    return rc;
}

static int subscribe(struct session *s, const char *topic)
{
    MQTTSubscribe_options options = MQTTSubscribe_options_initializer;
    MQTTResponse response;
    int rc;

    if (s->options.v311)
        return MQTTClient_subscribe(s->client, topic, 1);
    options.noLocal = 1; /* what this platform says itself need not come back */
    response = MQTTClient_subscribe5(s->client, topic, 1, &options, NULL);
    rc = response.reasonCode == MQTTREASONCODE_GRANTED_QOS_1 ? 0 : (int)response.reasonCode;
    MQTTResponse_free(response);
    return rc == 0 || rc > 2 ? rc : MQTTCLIENT_FAILURE; /* a lower QoS will not do */
}

bool session_connect(struct session *s, const char *topic, const char *more)
{
    MQTTClient_connectOptions v3 = MQTTClient_connectOptions_initializer,
                              v5 = MQTTClient_connectOptions_initializer5;
    MQTTClient_connectOptions *options = s->options.v311 ? &v3 : &v5;
    MQTTClient_SSLOptions tls = tls_options(&s->options);
    bool secure;
    char uri[300];
    int rc;

    (void)server_uri(s->options.broker, uri, sizeof uri, &secure);
    options->username = s->options.username;
    options->password = s->options.password;
    options->maxInflightMessages = IN_FLIGHT;
    options->reliable = 0;
    options->connectTimeout = 10;
    if (secure)
        options->ssl = &tls;
    if (s->options.v311) {
        options->MQTTVersion = MQTTVERSION_3_1_1;
        options->cleansession = s->options.client_id ? 0 : 1;
        rc = MQTTClient_connect(s->client, options);
    } else {
        rc = connect_v5(s, options);
    }
    if (rc != 0)
        return refuse(s, "connect", rc);
    rc = subscribe(s, topic);
    if (rc == 0 && more)
        rc = subscribe(s, more);
    return rc == 0 || refuse(s, "subscribe", rc);
}

static void properties_read(struct session_message *m, MQTTProperties *properties)
{
    const MQTTProperty *data;

    m->expires = MQTTProperties_hasProperty(properties, MQTTPROPERTY_CODE_MESSAGE_EXPIRY_INTERVAL) != 0;
    data = MQTTProperties_getProperty(properties, MQTTPROPERTY_CODE_CORRELATION_DATA);
    if (data) {
        m->correlation = data->value.data.data;
        m->correlation_length = (size_t)data->value.data.len;
    }
}

bool session_receive(struct session *s, unsigned long timeout_ms, struct session_message *out)
{
    MQTTClient_message *message = NULL;
    char *topic = NULL;
    int length = 0;

    (void)MQTTClient_receive(s->client, &topic, &length, &message, timeout_ms);
    if (!message)
        return false;
    *out = (struct session_message){.topic = topic,
                                    .payload = message->payload,
                                    .length = (size_t)message->payloadlen,
                                    .qos = message->qos,
                                    .retained = message->retained != 0,
                                    .inside = {message, topic}};
    if (!s->options.v311)
        properties_read(out, &message->properties);
    return true;
}

void session_done(struct session_message *m)
{
    MQTTClient_message *message = m->inside[0];

    MQTTClient_freeMessage(&message);
    MQTTClient_free(m->inside[1]);
}

static bool publish_v5(struct session *s, const char *topic, MQTTClient_message *message,
                       const char *response_topic, const char *correlation)
{
    MQTTProperty response = {.identifier = MQTTPROPERTY_CODE_RESPONSE_TOPIC},
                 data = {.identifier = MQTTPROPERTY_CODE_CORRELATION_DATA};
    MQTTResponse done;
    bool ok = true;

    if (response_topic) {
        response.value.data.data = (char *)(uintptr_t)response_topic;
        response.value.data.len = (int)strlen(response_topic);
        ok = MQTTProperties_add(&message->properties, &response) == 0;
    }
    if (ok && correlation) {
        data.value.data.data = (char *)(uintptr_t)correlation;
        data.value.data.len = (int)strlen(correlation);
        ok = MQTTProperties_add(&message->properties, &data) == 0;
    }
    if (ok) {
        done = MQTTClient_publishMessage5(s->client, topic, message, &s->last_token);
        ok = done.reasonCode == MQTTREASONCODE_SUCCESS;
        MQTTResponse_free(done);
    }
    MQTTProperties_free(&message->properties);
    return ok;
}

bool session_publish(struct session *s, const char *topic, const char *text, const char *response_topic,
                     const char *correlation)
{
    MQTTClient_message message = MQTTClient_message_initializer;

    message.payload = (char *)(uintptr_t)text;
    message.payloadlen = (int)strlen(text);
    message.qos = 1;
    if (s->options.v311)
        return MQTTClient_publishMessage(s->client, topic, &message, &s->last_token) == MQTTCLIENT_SUCCESS;
    return publish_v5(s, topic, &message, response_topic, correlation);
}

bool session_settle(struct session *s, unsigned long timeout_ms)
{
    return MQTTClient_waitForCompletion(s->client, s->last_token, timeout_ms) == MQTTCLIENT_SUCCESS;
}
