// Bulk subscription that keeps its batches when the app is slow.
//
// This file is laid beside consumer.go of components-contrib's Kafka component when we build daprd
// (src/build-daprd.ts); docs/dapr-notes.md has the measurements. What is released gives each partition a ticker and
// all of them one mutex, which it holds while the app works and takes for each single message it adds to a batch.
// As soon as the app's time for one batch, times the partitions, is longer than the wait for a batch, every ticker is
// always due, batches shrink to one or two messages, and throughput collapses: at 200 ms of work and 12 partitions it
// is 175 messages per second, with this file 4,752.
//
// Here all partitions of a topic feed one batch, and while the app works on it the next one gathers. Still one batch
// in flight; a message is still marked only after the app has acknowledged it; order within a partition is kept.

package kafka

import (
	"context"
	"sync"
	"time"

	"github.com/IBM/sarama"
	"github.com/cenkalti/backoff/v4"
)

// What the partitions of one topic feed during one session, that is until the next rebalance.
type gathering struct {
	incoming chan *sarama.ConsumerMessage
	over     chan struct{}
}

type gatheringKey struct {
	session sarama.ConsumerGroupSession
	topic   string
}

var (
	gatherings      = map[gatheringKey]*gathering{}
	gatheringsMutex sync.Mutex
)

// feed is ConsumeClaim for a bulk subscription: it hands on what one partition brings until the session ends.
func (consumer *consumer) feed(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim,
	config SubscriptionHandlerConfig, b backoff.BackOff,
) error {
	g := consumer.gatheringOf(session, claim, config, b)
	for {
		select {
		case <-g.over:
			return nil
		case message, open := <-claim.Messages():
			if !open {
				return nil
			}
			select {
			case g.incoming <- message:
			case <-g.over:
				return nil
			}
		}
	}
}

func (consumer *consumer) gatheringOf(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim,
	config SubscriptionHandlerConfig, b backoff.BackOff,
) *gathering {
	gatheringsMutex.Lock()
	defer gatheringsMutex.Unlock()
	key := gatheringKey{session, claim.Topic()}
	if g, exists := gatherings[key]; exists {
		return g
	}
	g := &gathering{incoming: make(chan *sarama.ConsumerMessage), over: make(chan struct{})}
	gatherings[key] = g
	go func() {
		consumer.deliver(g, session, claim, config, b)
		gatheringsMutex.Lock()
		delete(gatherings, key)
		gatheringsMutex.Unlock()
		// Only now may the partitions be given back: nothing of them is in the app's hands any more.
		close(g.over)
	}()
	return g
}

func (consumer *consumer) deliver(g *gathering, session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim,
	config SubscriptionHandlerConfig, b backoff.BackOff,
) {
	wait := time.Duration(config.SubscribeConfig.MaxAwaitDurationMs) * time.Millisecond
	for {
		messages := g.batch(session.Context(), config.SubscribeConfig.MaxMessagesCount, wait)
		if len(messages) == 0 {
			return
		}
		// A failure was retried for as long as the component's back-off says, and logged.
		_ = consumer.flushBulkMessages(claim, messages, session, config.BulkHandler, b)
	}
}

// batch waits for a first message, then for more until there are `most` or `wait` is over. Empty: the session ended.
func (g *gathering) batch(ctx context.Context, most int, wait time.Duration) []*sarama.ConsumerMessage {
	var messages []*sarama.ConsumerMessage
	var due <-chan time.Time
	for len(messages) < most {
		select {
		case <-ctx.Done():
			return nil
		case message := <-g.incoming:
			if due == nil {
				timer := time.NewTimer(wait)
				defer timer.Stop()
				due = timer.C
			}
			messages = append(messages, message)
		case <-due:
			return messages
		}
	}
	return messages
}
