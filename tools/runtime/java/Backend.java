import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.util.concurrent.locks.ReentrantLock;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.MVStoreException;

/**
 * Keeps everything in one file, or in memory. Left to itself H2 writes behind; here a write is committed before it
 * is answered, and writes that wait at the same time share one commit: each takes a ticket, the first at the lock
 * commits for all tickets taken so far, and the others find theirs done.
 */
class Backend extends H2Backend {
  /** Of documents as they lie in the file; as objects in the heap they take about four times as much. */
  static final int CACHE_MB = 32;
  /** An update writes its page again, so small pages write less; H2's own 16 KB is for large batches. */
  static final int PAGE_BYTES = 4096;
  static final int COMPACT_EVERY_MS = 1000;
  /** Below this share of live data, in percent, chunks are written together and given back. */
  static final int FILL_PERCENT = 50;
  static final int COMPACT_BYTES = 4 << 20;
  /** At start and at the end, when nobody waits. */
  static final int COMPACT_WHOLLY_MS = 1500;

  private final Turns turns = new Turns();
  private final ReentrantLock committing = new ReentrantLock();
  private long lastTicket = 0;
  private long committedTicket = 0;

  static Backend keptInMemory() {
    return new Backend(MVStore.open(null));
  }

  static Backend keptIn(String file) {
    var store = new MVStore.Builder()
        .fileName(file).autoCommitDisabled().cacheSize(CACHE_MB).pageSplitSize(PAGE_BYTES).open();
    // Old versions would serve readers of the past, and a recovery after a power cut for 45 s: the file grew by
    // 475 MB in a minute. Nobody reads the past here, and after a kill the last version is whole.
    store.setRetentionTime(0);
    store.setVersionsToKeep(0);
    store.compactFile(COMPACT_WHOLLY_MS);
    var backend = new Backend(store);
    var housekeeping = new Thread(backend::keepHouse, "housekeeping");
    housekeeping.setDaemon(true);
    housekeeping.start();
    return backend;
  }

  private Backend(MVStore store) {
    super(store);
  }

  @Override
  protected MongoDatabase openOrCreateDatabase(String name) {
    return Database.open(name, getMvStore(), getCursorRegistry());
  }

  @Override
  public Document handleMessage(MongoMessage message) {
    if (isInMemory() || !Turns.writes(message)) return turns.take(message, super::handleMessage);

    var ticket = new long[1];
    var answer = turns.take(message, (mine) -> {
      ticket[0] = ++lastTicket;
      return super.handleMessage(mine);
    });
    commitThrough(ticket[0]);
    return answer;
  }

  private void commitThrough(long ticket) {
    committing.lock();
    try {
      if (committedTicket >= ticket) return;
      withoutOthers(() -> {
        commit();
        committedTicket = lastTicket;
      });
    } finally {
      committing.unlock();
    }
  }

  private void keepHouse() {
    while (!getMvStore().isClosed()) {
      try {
        Thread.sleep(COMPACT_EVERY_MS);
      } catch (InterruptedException stopped) {
        return;
      }
      withoutOthers(() -> {
        if (!getMvStore().isClosed()) getMvStore().compact(FILL_PERCENT, COMPACT_BYTES);
      });
    }
  }

  @Override
  public void close() {
    withoutOthers(() -> {
      if (!isInMemory()) getMvStore().compactFile(COMPACT_WHOLLY_MS);
      super.close();
    });
  }

  /** H2 may only write while nobody changes a document. If it cannot, it would refuse everything from then on. */
  private void withoutOthers(Runnable work) {
    turns.lock.writeLock().lock();
    try {
      work.run();
    } catch (MVStoreException broken) {
      broken.printStackTrace();
      Runtime.getRuntime().halt(1);
    } finally {
      turns.lock.writeLock().unlock();
    }
  }
}
