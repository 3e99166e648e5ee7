select customer_id from {{ source('raw', 'customers') }}
