import de.bwaldvogel.mongo.bson.Document;
import de.bwaldvogel.mongo.exception.MongoServerError;
import de.bwaldvogel.mongo.wire.message.MongoMessage;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.Function;

/**
 * Writers one at a time, readers together, and never both. mongo-java-server changes a document in place while
 * another connection encodes the same one into its answer, or the file store writes it: readers would see half an
 * update. An answer therefore leaves as a copy. It also answers as MongoDB where mongo-java-server does not.
 */
class Turns {
  private static final Set<String> WRITES = Set.of(
      "insert", "update", "delete", "findAndModify", "findandmodify", "create", "createIndexes", "drop",
      "dropIndexes", "dropDatabase", "renameCollection");

  final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

  Document take(MongoMessage message, Function<MongoMessage, Document> handle) {
    var command = commandOf(message);
    if (command.equals("createIndexes")) partialAsSparse(message.getDocument());
    var turn = writes(message) ? lock.writeLock() : lock.readLock();
    turn.lock();
    try {
      var answer = handle.apply(message).cloneDeeply();
      if (command.equals("insert")) countInserted(message.getDocument(), answer);
      return answer;
    } finally {
      turn.unlock();
    }
  }

  static boolean writes(MongoMessage message) {
    return WRITES.contains(commandOf(message));
  }

  private static String commandOf(MongoMessage message) {
    return message.getDocument().keySet().iterator().next();
  }

  /** mongo-java-server knows no partial index; over its own field's existence it is a sparse one. */
  @SuppressWarnings("unchecked")
  private static void partialAsSparse(Document command) {
    for (var index : (List<Document>) command.get("indexes")) {
      var filter = (Document) index.get("partialFilterExpression");
      if (filter == null) continue;
      var fields = ((Document) index.get("key")).keySet();
      var exists = new Document("$exists", true);
      if (fields.size() != 1 || !filter.equals(new Document(fields.iterator().next(), exists))) {
        throw new MongoServerError(67, "CannotCreateIndex", "this server knows {<the field>: {$exists: true}} only");
      }
      index.put("sparse", true);
    }
  }

  /** mongo-java-server counts the refused ones too. */
  @SuppressWarnings("unchecked")
  private static void countInserted(Document command, Document answer) {
    var errors = (List<Document>) answer.get("writeErrors");
    if (errors == null) return;
    var all = ((List<?>) command.get("documents")).size();
    var ordered = !Boolean.FALSE.equals(command.get("ordered"));
    answer.put("n", ordered ? (Integer) errors.get(0).get("index") : all - errors.size());
  }
}
