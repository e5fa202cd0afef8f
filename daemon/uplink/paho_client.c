#include "uplink/paho_client.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <MQTTAsync.h>

#include "base/text.h"
#include "uplink/paho.h"

/* Paho's lists of clients are the process's; 1.3 frees them with the last client while another thread may be
 * adding one. So making and destroying take turns. It guards Paho's own global state, the one reason for a
 * global here. */
static pthread_mutex_t paho_turn = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t paho_once = PTHREAD_ONCE_INIT;

/* What a publish hands to Paho as its context. */
struct slot {
    struct paho_client *client;
    uint32_t generation;
    uint64_t token;
    bool used;
};

struct paho_client {
    MQTTAsync handle;
    bool v311, tls;
    struct paho_cbs cbs;
    void *arg;
    pthread_mutex_t mutex; /* for what follows: the transport's thread and Paho's share it. Never held during
                              a call of Paho */
    uint32_t generation;
    bool idle;
    struct slot slots[PAHO_SLOTS];
    char tls_error[PAHO_REASON_MAX];
};

static void init_paho(void)
{
    /* OpenSSL 1.1 and later sets itself up; Paho is not to tear down what the rest of the program uses. */
    MQTTAsync_init_options options = MQTTAsync_init_options_initializer;

    options.do_openssl_init = 0;
    MQTTAsync_global_init(&options);
}

static const char *name_or(const char *name, const char *otherwise)
{
    return name ? name : otherwise;
}

/* ---- events ---- */

static void tell(struct paho_client *c, uint32_t generation, enum paho_event_kind kind, uint64_t token,
                 const char *reason)
{
    struct paho_event event = {.kind = kind, .generation = generation, .token = token};

    (void)text_copy(event.reason, sizeof(event.reason), reason);
    c->cbs.event(c->arg, &event);
}

/* Paho has ended the connection or the attempt by itself. */
static void tell_ended(struct paho_client *c, enum paho_event_kind kind, const char *reason)
{
    uint32_t generation;

    (void)pthread_mutex_lock(&c->mutex);
    generation = c->generation;
    c->idle = true;
    (void)pthread_mutex_unlock(&c->mutex);
    tell(c, generation, kind, 0, reason);
    c->cbs.ready(c->arg);
}

static void tell_connected(struct paho_client *c, size_t receive_max)
{
    const struct paho_event event = {
        .kind = PAHO_CONNECTED, .generation = paho_client_generation(c), .receive_max = receive_max};

    c->cbs.event(c->arg, &event);
}

static void connected_v3(void *context, MQTTAsync_successData *data)
{
    (void)data;
    tell_connected(context, SIZE_MAX);
}

static void connected_v5(void *context, MQTTAsync_successData5 *data)
{
    size_t receive_max = SIZE_MAX;

    if (data && MQTTProperties_hasProperty(&data->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM)) {
        const int value =
            MQTTProperties_getNumericValue(&data->properties, MQTTPROPERTY_CODE_RECEIVE_MAXIMUM);

        if (value > 0)
            receive_max = (size_t)value;
    }
    tell_connected(context, receive_max);
}

/* MQTT 3.1.1, table 3.1 */
static const char *connack_v3_text(int code)
{
    static const char *const texts[] = {"",
                                        "unacceptable protocol version",
                                        "identifier rejected",
                                        "server unavailable",
                                        "bad user name or password",
                                        "not authorized"};

    for (size_t i = 1; i < RG_COUNT(texts); i++) {
        if (code == (int)i)
            return texts[i];
    }
    return "refused by the broker";
}

static void tell_failed(struct paho_client *c, int code, const char *broker_text, const char *message)
{
    char reason[PAHO_REASON_MAX];
    char tls_error[PAHO_REASON_MAX];

    (void)pthread_mutex_lock(&c->mutex);
    memcpy(tls_error, c->tls_error, sizeof(tls_error));
    (void)pthread_mutex_unlock(&c->mutex);
    if (code > 0)
        (void)text_format(reason, sizeof(reason), "%s (%d)", name_or(broker_text, "refused by the broker"),
                          code);
    else if (tls_error[0])
        (void)text_format(reason, sizeof(reason), "%s: %s", name_or(message, "TLS"), tls_error);
    else
        (void)text_format(reason, sizeof(reason), "%s%s", name_or(message, "no connection"),
                          c->tls ? " (no answer there, or its certificate does not name this host)" : "");
    tell_ended(c, PAHO_FAILED, reason);
}

static void failed_v3(void *context, MQTTAsync_failureData *data)
{
    const int code = data ? data->code : 0;

    tell_failed(context, code, connack_v3_text(code), data ? data->message : NULL);
}

static void failed_v5(void *context, MQTTAsync_failureData5 *data)
{
    const int code = data ? data->code : 0;

    tell_failed(context, code, code > 0 ? MQTTReasonCode_toString((enum MQTTReasonCodes)code) : NULL,
                data ? data->message : NULL);
}

static void lost_cb(void *context, char *cause)
{
    tell_ended(context, PAHO_LOST, name_or(cause, "the connection ended"));
}

/* DISCONNECT from the broker (MQTT 5): over at once, whether it closes the line or not. */
static void farewell_cb(void *context, MQTTProperties *properties, enum MQTTReasonCodes code)
{
    struct paho_client *c = context;
    char reason[PAHO_REASON_MAX];

    (void)properties;
    (void)text_format(reason, sizeof(reason), "ended by the broker: %s",
                      name_or(MQTTReasonCode_toString(code), "unknown reason"));
    tell(c, paho_client_generation(c), PAHO_LOST, 0, reason);
}

/* Nothing is subscribed to, but Paho wants one. */
static int arrived_cb(void *context, char *topic, int topic_length, MQTTAsync_message *message)
{
    (void)context;
    (void)topic_length;
    MQTTAsync_freeMessage(&message);
    MQTTAsync_free(topic);
    return 1;
}

static void slot_answer(struct slot *slot, enum paho_event_kind kind, const char *reason)
{
    struct paho_client *c = slot->client;
    struct slot answered;
    bool of_now;

    (void)pthread_mutex_lock(&c->mutex);
    answered = *slot;
    slot->used = false;
    of_now = answered.generation == c->generation;
    (void)pthread_mutex_unlock(&c->mutex);
    if (of_now)
        tell(c, answered.generation, kind, answered.token, reason);
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
    slot_answer(context, PAHO_LOST, name_or(data ? data->message : NULL, "a message was given up"));
}

static void unsent_v5(void *context, MQTTAsync_failureData5 *data)
{
    if (data && data->reasonCode >= MQTTREASONCODE_UNSPECIFIED_ERROR)
        slot_answer(context, PAHO_REFUSED,
                    name_or(MQTTReasonCode_toString(data->reasonCode), "unknown reason"));
    else
        slot_answer(context, PAHO_LOST, name_or(data ? data->message : NULL, "a message was given up"));
}

/* OpenSSL's error line is thread:error:code:library:function:reason:file:line:data; the reason is what people
 * want. */
static int tls_error_cb(const char *line, size_t length, void *context)
{
    struct paho_client *c = context;
    const char *end = line + length;

    for (unsigned field = 0; field < 5; field++) {
        line = memchr(line, ':', (size_t)(end - line));
        if (!line)
            return 1;
        line++;
    }
    length = strcspn(line, ":\n");
    if (length >= sizeof(c->tls_error))
        length = sizeof(c->tls_error) - 1;
    (void)pthread_mutex_lock(&c->mutex);
    if (!c->tls_error[0]) { /* the first one is the cause */
        memcpy(c->tls_error, line, length);
        c->tls_error[length] = '\0';
    }
    (void)pthread_mutex_unlock(&c->mutex);
    return 1;
}

/* ---- life ---- */

static int make_handle(struct paho_client *c, const struct paho_target *target)
{
    MQTTAsync_createOptions options = MQTTAsync_createOptions_initializer5;
    int rc;

    options.MQTTVersion = target->v311 ? MQTTVERSION_3_1_1 : MQTTVERSION_5;
    options.sendWhileDisconnected = 0;
    options.maxBufferedMessages = 2 * PAHO_SLOTS;
    rc = MQTTAsync_createWithOptions(&c->handle, target->uri, target->client_id, MQTTCLIENT_PERSISTENCE_NONE,
                                     NULL, &options);
    if (rc != MQTTASYNC_SUCCESS)
        return rc;
    rc = MQTTAsync_setCallbacks(c->handle, c, lost_cb, arrived_cb, NULL);
    if (rc == MQTTASYNC_SUCCESS && !target->v311)
        rc = MQTTAsync_setDisconnected(c->handle, c, farewell_cb);
    return rc;
}

enum rg_err paho_client_create(const struct paho_target *target, const struct paho_cbs *cbs, void *arg,
                               struct paho_client **out)
{
    struct paho_client *c = calloc(1, sizeof(*c));
    int rc;

    (void)pthread_once(&paho_once, init_paho);
    if (!c)
        return RG_ENOMEM;
    if (pthread_mutex_init(&c->mutex, NULL) != 0) {
        free(c);
        return RG_ENOMEM;
    }
    c->v311 = target->v311;
    c->tls = target->tls;
    c->cbs = *cbs;
    c->arg = arg;
    c->idle = true;
    for (size_t i = 0; i < PAHO_SLOTS; i++)
        c->slots[i].client = c;
    (void)pthread_mutex_lock(&paho_turn);
    rc = make_handle(c, target);
    (void)pthread_mutex_unlock(&paho_turn);
    if (rc != MQTTASYNC_SUCCESS) {
        paho_client_destroy(c);
        return RG_EINVAL;
    }
    *out = c;
    return RG_OK;
}

void paho_client_destroy(struct paho_client *c)
{
    if (!c)
        return;
    if (c->handle) {
        /* Paho calls back with its lock held, and destroy takes that lock: when it returns, no call is under
         * way. */
        (void)pthread_mutex_lock(&paho_turn);
        MQTTAsync_destroy(&c->handle);
        (void)pthread_mutex_unlock(&paho_turn);
    }
    (void)pthread_mutex_destroy(&c->mutex);
    free(c);
}

/* ---- connecting ---- */

static MQTTAsync_SSLOptions tls_options(struct paho_client *c, const struct paho_target *target)
{
    MQTTAsync_SSLOptions tls = MQTTAsync_SSLOptions_initializer;

    tls.trustStore = target->ca ? target->ca : PAHO_SYSTEM_CA;
    tls.keyStore = target->cert;
    tls.privateKey = target->key;
    tls.enableServerCertAuth = 1;
    tls.verify = 1;
    tls.disableDefaultTrustStore = 1;
    /* sslVersion 1.2 would mean 1.2 only, and security level 2 alone lets TLS 1.1 through with RSA key
     * exchange. None of these suites exists before TLS 1.2; those of TLS 1.3 are always on. */
    tls.sslVersion = MQTT_SSL_VERSION_DEFAULT;
    tls.enabledCipherSuites = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:!aNULL:@SECLEVEL=2";
    tls.ssl_error_cb = tls_error_cb;
    tls.ssl_error_context = c;
    return tls;
}

static int begin_connect(struct paho_client *c, const struct paho_target *target, const char *password,
                         const struct paho_will *will)
{
    const MQTTAsync_connectOptions v3 = MQTTAsync_connectOptions_initializer;
    const MQTTAsync_connectOptions v5 = MQTTAsync_connectOptions_initializer5;
    MQTTAsync_connectOptions options = target->v311 ? v3 : v5;
    MQTTAsync_willOptions last_will = MQTTAsync_willOptions_initializer;
    MQTTAsync_SSLOptions tls = tls_options(c, target);

    last_will.topicName = will->topic;
    last_will.payload.data = will->payload;
    last_will.payload.len = (int)will->length;
    last_will.qos = 1;
    last_will.retained = 1;
    options.will = &last_will;
    options.keepAliveInterval = target->keepalive_s;
    options.connectTimeout = PAHO_CONNECT_S;
    options.maxInflight = PAHO_SLOTS;
    options.automaticReconnect = 0;
    options.username = target->username;
    options.binarypwd.data = password;
    options.binarypwd.len = password ? (int)strlen(password) : 0;
    options.ssl = target->tls ? &tls : NULL;
    options.context = c;
    if (target->v311) {
        options.MQTTVersion = MQTTVERSION_3_1_1; /* not the default, which falls back to 3.1 */
        options.cleansession = 1;
        options.onSuccess = connected_v3;
        options.onFailure = failed_v3;
    } else {
        options.cleanstart = 1; /* and no session expiry interval: the session ends with the connection */
        options.onSuccess5 = connected_v5;
        options.onFailure5 = failed_v5;
    }
    return MQTTAsync_connect(c->handle, &options);
}

static void set_idle(struct paho_client *c, bool idle)
{
    (void)pthread_mutex_lock(&c->mutex);
    c->idle = idle;
    (void)pthread_mutex_unlock(&c->mutex);
}

enum rg_err paho_client_connect(struct paho_client *c, const struct paho_target *target, const char *password,
                                const struct paho_will *will, uint32_t generation, char *why)
{
    int rc;

    (void)pthread_mutex_lock(&c->mutex);
    c->generation = generation;
    c->tls_error[0] = '\0';
    (void)pthread_mutex_unlock(&c->mutex);
    set_idle(c, false);
    rc = begin_connect(c, target, password, will);
    if (rc == MQTTASYNC_SUCCESS)
        return RG_OK;
    set_idle(c, true);
    (void)text_copy(why, PAHO_REASON_MAX, name_or(MQTTAsync_strerror(rc), "Paho refuses the options"));
    return RG_EINVAL;
}

/* ---- what may be asked at any time ---- */

bool paho_client_ready(struct paho_client *c)
{
    bool ready = true;

    (void)pthread_mutex_lock(&c->mutex);
    for (size_t i = 0; i < PAHO_SLOTS; i++)
        ready = ready && (!c->slots[i].used || c->slots[i].generation == c->generation);
    (void)pthread_mutex_unlock(&c->mutex);
    return ready;
}

bool paho_client_idle(struct paho_client *c)
{
    bool idle;

    (void)pthread_mutex_lock(&c->mutex);
    idle = c->idle;
    (void)pthread_mutex_unlock(&c->mutex);
    return idle;
}

uint32_t paho_client_generation(struct paho_client *c)
{
    uint32_t generation;

    (void)pthread_mutex_lock(&c->mutex);
    generation = c->generation;
    (void)pthread_mutex_unlock(&c->mutex);
    return generation;
}

/* ---- messages ---- */

static struct slot *take_slot(struct paho_client *c, uint64_t token)
{
    struct slot *slot = NULL;

    (void)pthread_mutex_lock(&c->mutex);
    for (size_t i = 0; i < PAHO_SLOTS && !slot; i++)
        if (!c->slots[i].used)
            slot = &c->slots[i];
    if (slot) {
        slot->used = true;
        slot->generation = c->generation;
        slot->token = token;
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

enum rg_err paho_client_publish(struct paho_client *c, const char *topic, const char *payload, size_t length,
                                bool retained, uint64_t token)
{
    MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
    struct slot *slot = take_slot(c, token);
    int rc;

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
    }
    rc = MQTTAsync_send(c->handle, topic, (int)length, payload, 1, retained, &response);
    if (rc == MQTTASYNC_SUCCESS)
        return RG_OK;
    give_slot_back(c, slot);
    return RG_EIO;
}
