import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.backend.QueryResult;
import de.bwaldvogel.mongo.backend.h2.H2Collection;
import de.bwaldvogel.mongo.backend.h2.H2Database;
import de.bwaldvogel.mongo.bson.Document;
import java.util.LinkedHashSet;
import java.util.List;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;

/** H2Database with documents and keys in BSON, and with collections that use an index for a part of a query. */
class Database {
  static MongoDatabase open(String name, MVStore store, CursorRegistry cursors) {
    return new H2Database(name, store, cursors) {
      @Override
      protected MongoCollection<Object> openOrCreateCollection(String collection, CollectionOptions options) {
        var fullName = getFullCollectionNamespace(collection);
        var documents = new MVMap.Builder<Object, Document>().valueType(new Bson.Documents());
        MVMap<String, Object> meta = store.openMap("meta." + fullName);
        return new Collection(
            this, collection, options, store.openMap("databases." + fullName, documents), meta, cursors);
      }

      /** Opens the map with keys of its own before H2Database asks for it by its name. */
      @Override
      protected Index<Object> openOrCreateUniqueIndex(
          String collection, String index, List<IndexKey> keys, boolean sparse) {
        var entries = new MVMap.Builder<KeyValue, Object>().keyType(new Bson.Keys());
        store.openMap(getFullCollectionNamespace(collection) + "._index_" + index, entries);
        return super.openOrCreateUniqueIndex(collection, index, keys, sparse);
      }
    };
  }

  static class Collection extends H2Collection {
    Collection(
        MongoDatabase database, String name, CollectionOptions options, MVMap<Object, Document> documents,
        MVMap<String, Object> meta, CursorRegistry cursors) {
      super(database, name, options, documents, meta, cursors);
    }

    /**
     * mongo-java-server uses an index only for a query over exactly its fields. A guarded update asks for
     * {_id, version} and would look through every document: 0.8 ms each with 5,000 of them.
     */
    @Override
    protected QueryResult queryDocuments(
        Document query, Document orderBy, int skip, int limit, int batchSize, Document fields) {
      for (var index : getIndexes()) {
        // What the index finds would be compared with the whole list once more: a million times for 1,000 ids.
        if (isListOfIds(query) && index.canHandle(query)) {
          var found = new LinkedHashSet<Object>();
          index.getPositions(query).forEach(found::add);
          return matchDocuments(new Document(), found, orderBy, skip, limit, batchSize, fields);
        }
        var indexed = new Document();
        for (var key : index.getKeys()) {
          if (query.containsKey(key.getKey())) indexed.put(key.getKey(), query.get(key.getKey()));
        }
        if (indexed.size() < query.size() && index.canHandle(indexed)) {
          return matchDocuments(query, index.getPositions(indexed), orderBy, skip, limit, batchSize, fields);
        }
      }
      return super.queryDocuments(query, orderBy, skip, limit, batchSize, fields);
    }

    /** {_id: {$in: [texts]}} and nothing else. */
    private static boolean isListOfIds(Document query) {
      return query.size() == 1
          && query.get("_id") instanceof Document condition
          && condition.size() == 1
          && condition.get("$in") instanceof List<?> ids
          && ids.stream().allMatch(String.class::isInstance);
    }

    /** Counting bytes would encode each document once more and write a third page for each change. */
    @Override
    protected boolean tracksDataSize() {
      return false;
    }
  }
}
