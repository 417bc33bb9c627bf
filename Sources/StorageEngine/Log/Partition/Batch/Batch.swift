package final class Batch {}
